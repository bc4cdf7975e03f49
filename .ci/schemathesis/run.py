#!/usr/bin/env python3
"""Runs schemathesis against a server of its own, on a SQLite file with some data.

  run.py REARM SCHEMATHESIS SCRATCH    the two programs, and a folder for the database and what was found; exit 1 if something was
                                       found, or the server logged an error
"""
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent


def start(rearm, scratch):
    """Starts a server on a free port; gives its process and its address."""
    log = scratch / 'serve.log'
    server = subprocess.Popen(
        [rearm, 'serve', '--listen=127.0.0.1:0', '--log-format=json', f'--database-url=sqlite:{scratch}/rearm.db'], stderr=log.open('w'))
    for _ in range(600):
        for line in log.read_text().splitlines():
            entry = json.loads(line)
            if entry['msg'] == 'rearm serves':
                return server, entry['url'] + '/engine-rest'
        if server.poll() is not None:
            break
        time.sleep(0.1)
    server.kill()
    sys.exit('the server did not start:\n' + log.read_text())


def ask(api, method, path, body=None):
    """Asks the server for what has to work."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(api + path, data, {'Content-Type': 'application/json'}, method=method)
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def populate(api):
    """Makes tasks, failures and batches, and gives the ids of some of what is there then, by the names that config.toml has for them."""
    tasks = ask(api, 'POST', '/external-task/create-bulk', {'externalTasks': [
        {'topicName': topic, 'processInstanceId': f'{topic} {n}', 'businessKey': 'b', 'retries': retries, 'variables': {'x': {'value': n}}}
        for topic in ('red', 'green') for n in range(10) for retries in (None, 0)]})['externalTaskIds']
    for task in tasks[:6:2]:
        ask(api, 'POST', f'/external-task/{task}/lock', {'workerId': 'w', 'lockDuration': 3600000})
    ask(api, 'POST', f'/external-task/{tasks[0]}/failure', {'workerId': 'w', 'errorMessage': 'boom', 'errorDetails': 'at X', 'retries': 0})
    ask(api, 'POST', '/external-task/retries-async', {'retries': 3, 'externalTaskIds': [tasks[1]]})
    batch = ask(api, 'POST', '/job/retries', {'retries': 1, 'jobIds': ['nonexistent']})
    job = None
    while job is None:
        job = next((j['id'] for j in ask(api, 'GET', f"/job?jobDefinitionId={batch['batchJobDefinitionId']}")), None)
    incident = ask(api, 'GET', '/incident')[0]
    return {'TASK': tasks[2], 'FAILED': tasks[0], 'SCOPE': 'green 1', 'BATCH': batch['id'], 'JOB': job,
            'DEFINITION': batch['batchJobDefinitionId'], 'INCIDENT': incident['id']}


def main(rearm, schemathesis, scratch):
    scratch = pathlib.Path(scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    server, api = start(rearm, scratch)
    try:
        known = populate(api)
        command = [schemathesis, '--config-file', str(HERE / 'config.toml'), 'run', api.removesuffix('/engine-rest') + '/openapi.yaml', '--url', api]
        status = subprocess.run(command, cwd=scratch, env=os.environ | known | {'HOOKS': str(HERE / 'hooks.py')}, check=False).returncode
    finally:
        server.terminate()
        ended = server.wait(30)
    errors = [line for line in (scratch / 'serve.log').read_text().splitlines() if json.loads(line)['level'] == 'ERROR']
    print('\n'.join(errors[:20]))
    return 1 if status or ended or errors else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
