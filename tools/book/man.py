#!/usr/bin/env python3
"""Writes man pages of the public functions, section 3, one file a function, from the headers.

    tools/book/man.py FOLDER [--compiler "gcc"] [--version 0.1.0] [--depfile FILE]

Functions that share a docstring have the same page under each name. Pages whose names differ in case only, gt_Softmax
and gt_softmax, hold each other's text, so that nothing is lost where file names do not differ in case."""
import argparse
import os
import re
import sys
import textwrap
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import headers  # noqa: E402


def escape(text):
    text = text.replace('\\', '\\e').replace('-', '\\-')
    # A line must not begin with a control character.
    return re.sub(r"^([.'])", r'\\&\1', text, flags=re.M)


def text_of(text):
    """Running text: names of functions in bold, sentences as they come."""
    text = text.replace('`', '').replace('\\', '\\e')
    text = re.sub(r'(?<![\w-])-(?=\w)', r'\\-', text)
    text = re.sub(r'\b(gt_\w+)', r'\\fB\1\\fR', text)
    text = '\n'.join(textwrap.wrap(text, 78, break_long_words=False, break_on_hyphens=False))
    return re.sub(r"^([.'])", r'\\&\1', text, flags=re.M)


def description(doc):
    out = []
    for i, (kind, text) in enumerate(headers.blocks(doc)):
        if kind == 'text':
            out += ([] if i == 0 else ['.PP']) + [text_of(text)]
        elif kind == 'item':
            out += ['.IP \\(bu 2', text_of(text)]
        else:
            lines = text.strip('\n').split('\n')
            out += ['.PP', '.nf', '.RS 4', *[escape(line[4:].rstrip()) or '\\&' for line in lines], '.RE', '.fi']
    return out


def default(option):
    text = headers.default_text(option)
    return text if text == 'required' else 'default ' + escape(text)


def options_of(functions):
    out, seen = [], set()
    for f in functions:
        if not f.struct or f.struct in seen:
            continue
        seen.add(f.struct)
        if not out:
            out = ['.SH OPTIONS']
        if len({g.struct for g in functions if g.struct}) > 1:
            out += ['.SS Of ' + f.name]
        for o in f.options:
            out += ['.TP', f'\\fB.{o.name}\\fR, {escape(o.type)}, {default(o)}', text_of(o.doc)]
    return out


def body(functions, name):
    """One page's text behind its title: that of `name`, and of the functions that share its docstring."""
    functions = sorted(functions, key=lambda f: f.name != name)
    doc = functions[0].doc
    title = re.sub(r'\\fB|\\fR', '', text_of(headers.sentence(doc))).replace('\n', ' ')
    out = ['.SH NAME', *[escape(f.name) + ',' for f in functions[:-1]], escape(functions[-1].name), '\\- ' + title]
    out += ['.SH SYNOPSIS', '.nf', '.B #include <gradtape.h>']
    if functions[0].header in headers.BESIDE:
        out += [f'.B #include <{functions[0].header}>']
    out += ['.PP']
    for f in functions:
        out += [escape(line) for line in (headers.signature(f, 72) + ';').split('\n')]
    out += ['.fi', '.SH DESCRIPTION', *description(doc), *options_of(functions)]
    named = sorted(set(re.findall(r'\bgt_\w+', doc + ' '.join(o.doc for f in functions for o in f.options))))
    return out, [n for n in named if n not in {f.name for f in functions}]


def write_pages(book, folder, version, date):
    os.makedirs(folder, exist_ok=True)
    group_of = {f.name: group for header in book.headers for group in headers.groups(book, header)
                for f in group if isinstance(f, headers.Function)}
    same = {}  # in lower case -> names
    for name in group_of:
        same.setdefault(name.lower(), []).append(name)
    texts = {}
    for name, group in group_of.items():
        out, named = body(group, name)
        see = [f'.BR {escape(n)} (3),' for n in named if n in group_of]
        texts[name] = [*out, '.SH SEE ALSO', *see, '.BR gradtape (1),', escape(group[0].header)]
    for name in texts:
        lines = [f'.TH {escape(name)} 3 "{date}" "gradtape {version}" "gradtape"', '.ad l', *texts[name]]
        for twin in same[name.lower()]:
            if twin != name:
                inner = texts[twin][texts[twin].index('.SH SYNOPSIS'):]
                lines += [f'.SH {escape(twin)}', *[re.sub(r'^\.S[HS] ', '.SS ', line) for line in inner]]
        with open(f'{folder}/{name}.3', 'w') as file:
            file.write('\n'.join(lines) + '\n')
    wanted = {n + '.3' for n in texts}
    for stale in set(os.listdir(folder)) - wanted:
        os.remove(f'{folder}/{stale}')
    os.utime(folder)  # build systems look at the folder alone
    return len(wanted)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument('folder')
    arguments.add_argument('--compiler', default='cc')
    arguments.add_argument('--version', default='0.1.0')
    arguments.add_argument('--depfile')
    given = arguments.parse_args()
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    book = headers.read(root, given.compiler.split())
    # Packages are built again to the same bytes: SOURCE_DATE_EPOCH. Otherwise the day of the newest header.
    newest = max(os.path.getmtime(f'{root}/{h.path}') for h in book.headers)
    date = time.strftime('%Y-%m-%d', time.gmtime(float(os.environ.get('SOURCE_DATE_EPOCH', newest))))
    count = write_pages(book, given.folder, given.version, date)
    if given.depfile:
        with open(given.depfile, 'w') as file:
            file.write(given.folder + ': ' + ' '.join(f'{root}/{h.path}' for h in book.headers) + f' {__file__} {headers.__file__}\n')
    print(f'{count} pages of functions')


if __name__ == '__main__':
    main()
