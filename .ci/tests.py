#!/usr/bin/env python3
"""Reads what `go test -json` printed, shows what went wrong, and counts.

  tests.py EVENTS COUNT    writes the closing line `N passed, N failed` to COUNT; exit 1 if a test failed, a package did not
                           build, or a test was skipped that has to run here
"""
import collections
import json
import os
import sys

# The only tests that may be skipped: those that are a part of another one.
MAY_SKIP = {('rearm/db', 'TestHold')}
# Published clients come from package registries, so these run only where they are asked for.
MAY_SKIP |= {('rearm/cmd/rearm', 'TestClients')} if 'REARM_TEST_CLIENTS' not in os.environ else set()


def main(events, count):
    output, ended = collections.defaultdict(list), {}
    for line in open(events, encoding='utf-8', errors='replace'):
        try:
            event = json.loads(line)
        except ValueError:
            print(line, end='')
            continue
        key = (event.get('Package') or event.get('ImportPath', '').split(' ')[0], event.get('Test', ''))
        if event['Action'] in ('output', 'build-output'):
            output[key].append(event['Output'])
        elif event['Action'] in ('pass', 'fail', 'skip'):
            ended[key] = event['Action'], event.get('Elapsed', 0)
    wrong = 0
    for (package, test), (how, _) in sorted(ended.items()):
        skipped = how == 'skip' and test and (package, test) not in MAY_SKIP
        if how == 'fail' or skipped:
            wrong += 1
            print(f'--- {how.upper()} {package} {test}\n' + ''.join(output[package, test]), end='')
    for (package, test), (how, seconds) in sorted(ended.items()):
        if not test and how != 'skip':
            print(f'{how}  {seconds:7.1f} s  {package}')
    numbers = collections.Counter(how for (_, test), (how, _) in ended.items() if test)
    with open(count, 'w', encoding='utf-8') as f:
        f.write(f'{numbers["pass"]} passed, {numbers["fail"]} failed\n')
    if not numbers['pass']:
        print('no test ran')
    return 1 if wrong or not numbers['pass'] else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
