"""The most frequent words of languages for which wordfreq has no list.

The most frequent come first. The lists were compiled by hand for this project, so their order is an
estimate and not a count. Where outlets drop diacritics, both spellings are listed.
"""

from __future__ import annotations

FUNCTION_WORDS = {
    "af": """
        die van en in is het nie te om dat wat sy vir op met hy as ek aan was hulle ook by sal
        maar kan word deur n ons uit tot na wees een of so dit daar meer oor nog hom toe baie haar
        jy kon gesê sê waar teen hul wie moet jaar mense twee net geen nou al dan hierdie dié
        se after onder voor tussen nadat terwyl omdat want my jou hoe gaan wil gehad gemaak
        sedert egter self weer eerste ander nuwe groot alle elke volgens minister president
        polisie suid-afrika regering land vandag gister
        """,
    "am": """
        ነው ላይ እና ውስጥ ነበር ግን ጋር ወደ ይህ ጊዜ ዓመት በላይ ሁሉ እንደ ሰዎች ከ በ ስለ ያለ አንድ ሆኖ ናቸው
        ደግሞ ዓ ም መሆኑን ኢትዮጵያ የኢትዮጵያ ሲሆን በኋላ እንዲሁም ብቻ ምክንያት ነገር ያላቸው አሁን የሚሆኑ ተናግረዋል
        ገልጸዋል አስታውቋል ሌሎች ሌላ ሁለት ሦስት እስከ ድረስ ዛሬ በዚህ በዚያ የዚህ እንዲህ ያሉ ማለት ምን ማን እኔ እሱ
        እሷ እኛ እነሱ እነዚህ በተለይ ከዚህ ይሁን እንጂ ብለዋል አለ አሉ የለም አይደለም ነበሩ ናት ሆነ ሆኗል ከተማ ክልል
        አዲስ አበባ ሺህ መቶ ሚሊዮን መንግሥት መንግስት ፖሊስ አገር ሀገር ሰው ሥራ ስራ በመሆኑ በሚል መካከል አካባቢ ከፍተኛ
        """,
    "bm": """
        ka ye la ni na ma bɛ be ko a o min u i tɛ te kɛ ke in cogo kɔnɔ kono kan fɔ fo ani
        walima nka bɔ bo don dɔ do mɔgɔ mogo n ne an aw olu minnu nin cɛ ce fɛ fe kun kama de
        dɔrɔn tun kɔ ko kɔrɔ koro ɲɛ si bɛɛ bee yɔrɔ yoro taa na sɔrɔ soro jamana mali san
        kalo tile don so dugu kelen fila saba naani duuru baara ɲa sira den muso
        """,
    "ff": """
        e ɗo nder to ko mo o ɓe be haa kala gooto fof oo ndee nde ngam kadi nga ngal ngol ɗum
        dum ɗe ɗi mi en on maɓɓe makko ina no ngo ndu ki kam so si hay tan dow les hakkunde caggal
        yeeso bana wano sabu ɓuri yimɓe yimbe leydi laamu wonde woni wonaa wi'i wii kono ha ɗon
        don waɗi jooni hande duuɓi duubi nyalnde ɗiɗi tati naay joy
        """,
    "ha": """
        da a na ta ya ne ba cewa wa ce su an yi ga ya ke kuma shi sun daga mai domin za cikin
        wani kan don suka ko ma in ake wannan ƙasar kasar zai inda wata ji sai yana haka amma
        kamar zuwa bayan tare masu shugaban saboda yadda wadanda waɗanda mutane lokacin jihar wajen
        sa tun ana ita ni mu ku ka ki wasu suke ga duk kuwa gwamnatin ranar shekara babban ci
        al kafin cikin tana suna muna ina kana babu akwai wanda wadda abin aka yan har sosai
        baya nan can biyu uku daya ɗaya farko ƙungiyar kungiyar ɗan dan yar gwamnati najeriya
        matsalar shugaba jami tsaro kwanaki shekaru gaba kuɗi kudi wurin game bisa ƙarƙashin
        karkashin yake take samu kasa ƙasa kai fada faɗa fi iya kowa komai kowane kawai wato
        hukumar rundunar sandan kasashen ƙasashen ayyuka mutum gari garin birnin yankin arewacin
        """,
    "ig": """
        na nke ndị ndi ya bụ bu a ka n si ihe ọ o ga e nwere ma ha onye ahụ ahu ndị dị di
        maka site ruo mgbe kwuru dika dịka nime nwa ala mmadụ mmadu ike eme mere oge otu ọtụtụ
        otutu abụọ abuo ebe anyị anyi m gị gi unu ọzọ ozo niile nile aka ọrụ oru gbasara kwa
        ị i naịjirịa nigeria steeti gọọmentị
        """,
    "km": """
        នៅ និង បាន ជា ក្នុង ដែល មាន ការ ពី ទៅ នេះ ថា ឱ្យ របស់ មួយ នឹង មិន ដោយ លោក អ្នក
        ដើម្បី ខ្លួន ទេ ត្រូវ នោះ តែ គេ ដល់ មក ក៏ ដ៏ ឬ ហើយ ប្រទេស កម្ពុជា ចំនួន ឆ្នាំ ថ្ងៃ ខែ គឺ
        លើ មនុស្ស គ្នា ពេល គាត់ យើង ទាំង អោយ ពួកគេ ប៉ុន្តែ ទៀត ក្រោម បន្ទាប់ រដ្ឋ ប្រជាជន ដែរ រួម
        តាម អាច កាល ក្រុម ភ្នំពេញ ខេត្ត នាក់ លោកស្រី ស្រុក ធ្វើ ថ្នាក់ មន្ត្រី នគរបាល
        """,
    "lo": """
        ທີ່ ແລະ ໃນ ຂອງ ການ ເປັນ ໄດ້ ມີ ໃຫ້ ຈະ ວ່າ ບໍ່ ແມ່ນ ຄວາມ ນີ້ ກັບ ມາ ໄປ ຈາກ ກໍ່ ກໍ ຢູ່ ຕ້ອງ
        ທ່ານ ລາວ ປີ ຄົນ ຊຶ່ງ ໂດຍ ເຊິ່ງ ໜຶ່ງ ນຶ່ງ ຫຼື ຕໍ່ ເພື່ອ ຜູ້ ພວກ ເຮັດ ນັ້ນ ຫຼາຍ ເມື່ອ ແຕ່ ຂຶ້ນ ກ່າວ
        ດ້ວຍ ປະເທດ ວັນ ທີ ເມືອງ ແຂວງ ບ້ານ ຍັງ ກຳລັງ ຕາມ ລະຫວ່າງ ເຈົ້າໜ້າທີ່ ສາມາດ ຖືກ ແລ້ວ ອອກ
        """,
    "mg": """
        ny sy dia fa tsy izany no ao amin an mba ho ka izy tamin ireo nandritra ka azy hoe koa
        eo aho misy ity raha i efa mbola ihany dia ary ho an aminy noho ka tany toy io fotoana
        rehefa isika izay satria anefa nefa tao teo eto taona andro olona firenena malagasy
        madagasikara fanjakana filoha rehetra hafa mihitsy roa telo iray indray avy teny tsara
        """,
    "my": """
        သည် များ က ကို တွင် နှင့် ၏ မှ ရှိ ဖြစ် ခဲ့ သော တစ် ပါ မ ပြီး ရန် မှာ တဲ့ နေ တာ လည်း အတွက်
        ဟု ကြောင်း ပြော ဆို လို့ နိုင် ကြ ရ မည် လျှင် ထို ဤ အဖြစ် ဦး နှစ် မြို့ မြန်မာ နိုင်ငံ အစိုးရ တို့
        သူ ကျွန်တော် အရ လာ ပေး သွား ဝင် ထွက် အခြား ဖြင့် သို့ သော် ဒါ ဒီ ဘာ လူ ကျော် ဖြစ်သည် ရှိသည်
        """,
    "pcm": """
        di to for dey and na dem wey say no don go e of be dat in im we one with on as who
        pipo from so dis you dia di fit she make e the after come also a all wen because but
        get tok her wetin tell us years di only am which how many now go year where first oda
        two may still dey kontri di even since until im more take about for inside time goment
        like just pipo woman man foto wia nigeria wan what everi every e any neva do ova
        wit dis day police kain beta sabi abi sey sef una our my i am tins thing tin becos wont
        unto comot enta carry give into pass before work again tori meaning dose yet mata
        """,
    "rw": """
        mu ku na no kandi ko ni bya wa ya n y ba ka cy ry i u kuri muri iyi uyu ibi iki uko
        abantu umuntu igihe nyuma ubwo rwanda kuko cyane avuga yavuze ati ariko gusa kugira
        kugeza nta aho ndetse imyaka umwaka bose byose buryo ubu hari yari bari biri ari
        abaturage igihugu leta perezida umunsi ngo kubera hagati imbere ahari akarere umujyi
        """,
    "so": """
        oo ee ka ku in iyo la waxaa waa ay uu u waxa soo si ayaa aan kale ah sida wax loo ugu
        inuu inay lagu leh dadka ama wuxuu waxay markii kala isaga laga dalka mid ayay ayuu kuwa
        kaas taas hadda ilaa kadib dib badan yahay tahay yihiin ahaa jiray jira jirta karo
        karaan ma ha maxaa muqdisho soomaaliya soomaaliyeed dowladda madaxweynaha xilligii
        maanta sheegay sheegtay magaalada gobolka laba saddex kasta dhan ciidamada dhexe
        """,
    "sw": """
        ya na wa kwa katika ni la za kuwa hiyo cha kama baada huo alisema hii hizo hilo huyo
        wake yake ambao ambayo ambaye pia lakini hayo wao yao hao watu wakati hata hivyo kutoka
        mwa bila zaidi wengine wengi wote wetu kila siku mwaka miaka yeye nchi hicho vya hapo si
        huku sana kati juu yote mmoja moja mbili kupitia kuhusu ili au tu bado tena mara serikali
        nchini rais basi hadi tangu kabla ndani nje chini kubwa mpya kwanza pamoja sasa leo jana
        jumla kuna hakuna mtu watoto kufanya kusema amesema aliyekuwa waliokuwa wanasema ndiyo
        hivi vile hasa ambapo kwamba kuweza anasema mkuu wananchi mji mkoa kutokana dhidi nini
        lake vyake zake mwake langu wangu yangu yetu zetu sababu kazi maji polisi mamlaka wizara
        """,
    "th": """
        ที่ การ ใน และ ของ เป็น มี ได้ ว่า ให้ จะ ไม่ ความ นี้ กับ จาก มา ไป ก็ ผู้ อยู่ แต่ ต้อง แล้ว
        โดย คน หรือ ซึ่ง เพื่อ นาย ขึ้น ออก เข้า กัน วันที่ ยัง ปี วัน ถูก ทำ ด้วย นั้น เมื่อ หนึ่ง ทั้ง มาก
        อย่าง รับ ประเทศ ไทย ประชาชน เจ้าหน้าที่ ตำรวจ จังหวัด อำเภอ กล่าว พบ เกิด บาท ราย เวลา
        กว่า ตาม ต่อ ถึง จำนวน ระหว่าง สามารถ ดังกล่าว พร้อม เหตุ ประมาณ ทาง เรื่อง หลัง งาน รัฐบาล
        """,
    "ti": """
        እዩ ኣብ ናይ ካብ እቲ ኣብዚ እዚ ምስ እቶም ድማ ከም ግን ናብ ን ኣሎ ነበረ እያ ኢሉ እዮም ብዙሕ ሰባት ኤርትራ
        ትግራይ ነይሩ እውን ኸኣ ከኣ ዘሎ ዘለዉ ብምባል እንተ እቶም ኩሉ ሓደ ክልተ ሰለስተ ዝነበረ ዝነበሩ ድሕሪ ቅድሚ
        ብዛዕባ ምኽንያት ክሳብ እዋን ዓመት መንግስቲ ሃገር ህዝቢ ክኸውን ኣይኮነን እንታይ መን ኢና ንሱ ንሳ ንሶም ኢሎም
        """,
    "wo": """
        ci di bi ak mu la yi ne nga mi ba gi ñu bu ko na am ni dafa ngir li man su fi waaye wala
        moom xam nit ñi dara benn ñaar ñett lu lan kan fan bees ndax mel boo bañ te rek leen
        loolu jox def wax dem ñëw réew mbir dëkk atum at fan weer senegaal senegal nekk jàng
        ginaaw kon itam tamit yépp lépp sama sunu seen bokk mën mëna dañu dina
        """,
    "yo": """
        ni ní ti tí awọn àwọn naa náà o ó si sí sì ati àti fun fún pe pé ko kò wa wà lati láti
        wọn se ṣe gbogbo ọdun ọdún yii yìí kan rẹ rẹ̀ jẹ jẹ́ nigba nígbà lori lórí ninu nínú bi bí
        n ń a wọ̀nyí eyi èyí ipinlẹ ìpínlẹ̀ ọmọ mọ́ eniyan ènìyàn sugbon ṣugbọn ṣùgbọ́n gẹgẹ gẹ́gẹ́
        orilẹ orílẹ̀ ede èdè ba bá di dí bẹẹ bẹ́ẹ̀ mi mo wo wọ̀n fi lo ló ẹni ọjọ ọjọ́ tun tún
        """,
}
