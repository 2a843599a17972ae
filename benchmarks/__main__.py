"""List the benchmarks."""

import ast
from pathlib import Path

from rich.console import Console

console = Console(highlight=False)
for path in sorted(Path(__file__).parent.glob("*.py")):
    module = ast.parse(path.read_text(encoding="utf-8"))
    if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in module.body):
        purpose = (ast.get_docstring(module) or "").partition("\n")[0]
        console.print(f"python -m benchmarks.{path.stem:12} {purpose}", soft_wrap=True)
console.print("\nEach takes --data FOLDER, or SAHEL_DATA; results go to benchmarks/results.")
