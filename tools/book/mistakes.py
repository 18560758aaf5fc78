#!/usr/bin/env python3
"""Checks the table "What the compiler says, and what is meant" of docs/coming-from-keras.md with gcc and clang, whichever
are here. In each row, every piece of code of the first column is compiled and must be refused (or warned of, where the
words begin with "warning"), in the words of the second column; every piece of code of the third must compile without a
word. Of two pieces in the second column the first is gcc's, the second clang's; one is both's. Words are compared
without regard to the kind of quotes.

    tools/book/mistakes.py [COMPILER...]    none: gcc and clang"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = 'docs/coming-from-keras.md'
HEADING = '### What the compiler says, and what is meant'
# What the pieces of code refer to.
HEAD = '''#include <gradtape.h>
#include <stdio.h>
extern gt_Tensor *x, *y, *a, *b, *loss, *weights;
extern gt_Layer *model;
extern gt_Dataset *data, *train, *test;
extern gt_Optimizer *adam;
extern gt_Tape *tape;
extern gt_History *history;
extern gt_Batch batch;
'''


def rows():
    """[(line, wrong pieces, words, right pieces)]"""
    found, inside = [], False
    for number, line in enumerate(open(f'{ROOT}/{PAGE}'), 1):
        if line.startswith('#'):
            inside = line.strip() == HEADING
        cells = re.split(r'(?<!\\)\|', line.strip().strip('|')) if inside and line.startswith('| `') else []
        if len(cells) == 3:
            found.append((number, *[[piece.replace('\\|', '|') for piece in re.findall(r'`([^`]+)`', cell)] for cell in cells]))
    return found


def program(pieces):
    """Each piece in a function of its own, with a file name that says which."""
    return HEAD + ''.join(f'#line 1 "case_{i}_"\nvoid case_{i}_(void);\nvoid case_{i}_(void)\n{{\n    {piece};\n}}\n'
                          for i, piece in enumerate(pieces))


def compile_pieces(compiler, pieces):
    """What the compiler says of each piece, as one text; with plain quotes."""
    limit = ['-ferror-limit=0'] if 'clang' in os.path.basename(compiler) else []
    with tempfile.TemporaryDirectory() as folder:
        with open(f'{folder}/pieces.c', 'w') as file:
            file.write(program(pieces))
        run = subprocess.run([compiler, '-std=c17', '-Wall', '-Wno-unused-variable', *limit, '-I', ROOT,
                              '-fsyntax-only', f'{folder}/pieces.c'], text=True, capture_output=True)
    said = {i: '' for i in range(len(pieces))}
    current = None
    for line in re.sub('[‘’]', "'", run.stderr).splitlines():
        # gcc names the function first, where the place is inside a header; clang the place where the macro stands.
        m = re.match(r"case_(\d+)_:", line) or re.match(r".*In function 'case_(\d+)_'", line)
        current = int(m[1]) if m else current
        if current is not None:
            said[current] += line + '\n'
    return said


def main():
    wanted = sys.argv[1:] or ['gcc', 'clang']
    compilers = [c for c in wanted if shutil.which(c)]
    if not compilers:
        print('neither gcc nor clang is here')
        sys.exit(77)
    table, faults = rows(), 0
    wrong = [(line, piece, words) for line, pieces, words, _ in table for piece in pieces]
    right = [(line, piece) for line, _, _, pieces in table for piece in pieces]
    for compiler in compilers:
        clang = 'clang' in os.path.basename(compiler)
        said = compile_pieces(compiler, [piece for _, piece, _ in wrong])
        for i, (line, piece, words) in enumerate(wrong):
            expected = words[min(clang, len(words) - 1)]
            # What older compilers warn of may be an error of newer ones.
            warned = expected.startswith('warning: ')
            if not (warned or 'error:' in said[i]) or expected.removeprefix('warning: ') not in said[i]:
                faults += 1
                print(f'{PAGE}:{line}: {compiler} does not say "{expected}" of {piece}\n{said[i]}')
        said = compile_pieces(compiler, [piece for _, piece in right])
        for i, (line, piece) in enumerate(right):
            if said[i]:
                faults += 1
                print(f'{PAGE}:{line}: {compiler} does not accept {piece}\n{said[i]}')
    if not table:
        faults += 1
        print(f'{PAGE}: there is no table "{HEADING}"')
    print(f'{len(table)} rows, {len(wrong)} wrong pieces, {len(right)} right ones, by {" and ".join(compilers)}')
    sys.exit(faults > 0)


if __name__ == '__main__':
    main()
