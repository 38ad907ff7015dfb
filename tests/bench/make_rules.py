"""A folder of made-up rules, as many as wanted, with the shapes of the built-in ones.

Each is a built-in rule under another name, with the letters of the words in its log patterns exchanged: what a pattern
costs (files, literals, classes, repetitions, groups, queries) is that of real rules, but they hardly ever match.
"""
import copy
import os
import random
import re
import shutil
import string

import yaml

NOT_WORDS = re.compile(r"\\.|\(\?[<P][^>]*>|\(\?[:=!<i-]+|\[[^\]]*\]|\{[^}]*\}")
WORD = re.compile(r"[A-Za-z]{3,}")


def built_in(folder):
    """Path and document of each built-in rule."""
    for path, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if name.endswith(".yaml"):
                with open(os.path.join(path, name)) as file:
                    document = yaml.safe_load(file)
                if isinstance(document, dict) and "id" in document:
                    yield os.path.join(path, name), document


def logs_of(rule):
    return [rule["log"]] if "log" in rule else list(rule.get("logs", {}).values())


def exchange(pattern, letters):
    """The pattern with other letters in its words; escapes, classes and names of groups stay."""
    out, place = [], 0
    for kept in list(NOT_WORDS.finditer(pattern)) + [None]:
        end = kept.start() if kept else len(pattern)
        out.append(WORD.sub(lambda word: word.group().translate(letters), pattern[place:end]))
        if kept:
            out.append(kept.group())
            place = kept.end()
    return "".join(out)


def main(rules, folder, count):
    """Writes `count` rules below `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    models = list(built_in(rules))
    rng = random.Random(1)
    for number in range(count):
        rule = copy.deepcopy(models[number % len(models)][1])
        if number % len(models) == 0:
            small = list(string.ascii_lowercase)
            rng.shuffle(small)
            letters = str.maketrans(string.ascii_letters, "".join(small) + "".join(small).upper())
        rule["id"] = "made-%d-%s" % (number, rule["id"])
        rule.pop("tests", None)
        for log in logs_of(rule):
            for key in ("match", "unless"):
                if key in log:
                    log[key] = exchange(log[key], letters)
        with open("%s/%s.yaml" % (folder, rule["id"]), "w") as file:
            yaml.safe_dump(rule, file, sort_keys=False, allow_unicode=True, width=1000)
