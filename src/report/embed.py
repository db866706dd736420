"""usage: embed.py OUTPUT NAME=FILE...

Writes a C header with each FILE as a string constant `static const char NAME[]`: pages and scripts are edited as what they
are and are compiled into the binary.
"""
import sys


def literal(text):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    lines = escaped.split("\n")
    return "\n".join(f'\t"{line}\\n"' for line in lines[:-1]) + (f'\n\t"{lines[-1]}"' if lines[-1] else "")


def main():
    output, *items = sys.argv[1:]
    with open(output, "w", encoding="utf-8") as header:
        for item in items:
            name, _, path = item.partition("=")
            with open(path, encoding="utf-8") as file:
                header.write(f"static const char {name}[] =\n{literal(file.read())};\n\n")


if __name__ == "__main__":
    main()
