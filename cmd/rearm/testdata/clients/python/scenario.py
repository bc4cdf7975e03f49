"""A worker made with camunda-external-task-client-python3 against a server: python scenario.py BASE_URL
It logs in as REARM_USER with REARM_PASSWORD where these are set.

It fails 50 tasks for good, re-arms them in bulk, and completes them; sends and reads a variable of every type; and meets
refusals. It exits with 1 and says what was different.
"""
import base64
import sys
import threading
import time

import requests
from camunda.client.engine_client import EngineClient
from camunda.client.external_task_client import ExternalTaskClient
from camunda.external_task.external_task import ExternalTask
from camunda.external_task.external_task_worker import ExternalTaskWorker

from values import BYTES, LOGIN, OBJECT, TYPED, same

BASE = sys.argv[1]
AUTH = {'auth_basic': {'username': LOGIN[0], 'password': LOGIN[1]}} if LOGIN else {}


def call(method, path, body=None):
    """Sends a request for which the client has no method, and gives the answer."""
    answer = requests.request(method, BASE + path, json=body, auth=LOGIN, timeout=60)
    assert answer.ok, f'{method} {path}: {answer.status_code} {answer.text}'
    return answer.json() if answer.text else None


def until(what, ok):
    """Waits for what a worker or the server does meanwhile."""
    end = time.monotonic() + 60
    while not ok():
        assert time.monotonic() < end, f'waited in vain until {what}'
        time.sleep(0.01)


def retries():
    topic, failed, completed, wrong = 'python-retries', set(), set(), []

    def handle(task: ExternalTask):
        state = call('GET', f'/external-task/{task.get_task_id()}')
        if state['retries'] is None:
            failed.add(task.get_task_id())
            return task.failure('no route to host', 'at send', max_retries=0, retry_timeout=0)
        if (state['retries'], state['errorMessage']) != (2, 'no route to host'):
            wrong.append(state)
        completed.add(task.get_task_id())
        return task.complete()

    config = {'maxTasks': 20, 'asyncResponseTimeout': 1000, 'sleepSeconds': 0, **AUTH}
    worker = ExternalTaskWorker(f'{topic}-worker', BASE, config)
    threading.Thread(target=worker.subscribe, args=(topic, handle), daemon=True).start()
    tasks = [{'topicName': topic, 'businessKey': f'order {i}'} for i in range(50)]
    ids = call('POST', '/external-task/create-bulk', {'externalTasks': tasks})['externalTaskIds']
    query = {'topicName': topic, 'noRetriesLeft': True}
    until('50 tasks have failed', lambda: call('POST', '/external-task/count', query) == {'count': 50})
    same(set(ids), failed)
    incidents = call('GET', '/incident?incidentType=failedExternalTask')
    same(set(ids), {i['configuration'] for i in incidents} & set(ids))
    same(set(), completed)

    batch = call('POST', '/external-task/retries-async', {'retries': 2, 'externalTaskQuery': query})
    same(50, batch['totalJobs'])
    until('the batch has ended', lambda: call('GET', f'/history/batch/{batch["id"]}')['endTime'])
    until('50 tasks are completed', lambda: call('GET', f'/external-task/count?topicName={topic}') == {'count': 0})
    same(set(ids), completed)
    same([], wrong)


def once(topic, variables=None, process_variables=None):
    """Gives the one task of a topic, and the client to answer with."""
    client = ExternalTaskClient(f'{topic}-worker', BASE, {'asyncResponseTimeout': 1000, **AUTH})
    tasks = client.fetch_and_lock(topic, process_variables, variables)
    same(1, len(tasks))
    return client, ExternalTask(tasks[0])


def check(task, object_value):
    """Compares all variables of a task; Objects come as JSON, since the client asks for it."""
    got = {name: task.get_variable(name, with_meta=True) for name in task.get_variables()}
    want = {name: {'valueInfo': {}, **variable} for name, variable in TYPED.items()}
    want['date']['value'] = '2013-01-23T13:42:45.678+0000'
    want['file']['value'] = None
    want['object']['value'] = object_value
    same(want, got)
    engine, scope = EngineClient(BASE, AUTH), task.get_process_instance_id()
    meta = engine.get_process_instance_variable(scope, 'file', with_meta=True)
    same({**want['file'], 'value': base64.encodebytes(BYTES).decode()}, meta)
    same(BYTES, base64.b64decode(engine.get_process_instance_variable(scope, 'bytes')))


def variables():
    properties = {'team': 'blue'}
    created = call('POST', '/external-task/create', {'topicName': 'python-first', 'variables': TYPED, 'extensionProperties': properties})
    for topic in ('python-second', 'python-third'):
        call('POST', '/external-task/create', {'topicName': topic, 'processInstanceId': created['processInstanceId']})
    client, task = once('python-first')
    same(properties, task.get_extension_properties())
    check(task, OBJECT)
    transient = {'value': 1, 'type': 'Integer', 'valueInfo': {'transient': True}}
    same(True, client.complete(task.get_task_id(), {**TYPED, 'passing': transient}, {'mine': 1}))

    client, task = once('python-second')
    check(task, OBJECT)  # neither the transient variable nor the one of the first task alone
    plain = {'text': 'x', 'yes': True, 'whole': 2**31 - 1, 'large': 2**63 - 1, 'part': 0.5, 'none': {'value': None}, 'list': {'value': [1, {'a': 2}]}}
    same(True, client.complete(task.get_task_id(), plain))
    client, task = once('python-third', variables=[*plain, 'absent'], process_variables={'text': 'x', 'yes': True})
    got = {name: (v['type'], v['value']) for name in plain for v in [task.get_variable(name, with_meta=True)]}
    same({'text': ('String', 'x'), 'yes': ('Boolean', True), 'whole': ('Integer', 2**31 - 1), 'large': ('Long', 2**63 - 1),
          'part': ('Double', 0.5), 'none': ('Null', None), 'list': ('Object', [1, {'a': 2}])}, got)
    same(set(plain), set(task.get_variables()))
    same(True, client.complete(task.get_task_id(), {}))


def refused(message, call, *args):
    """Checks the exception that the client makes of an answer."""
    try:
        call(*args)
    except Exception as e:  # the client raises no other kind
        same(message, str(e))
        return
    raise AssertionError(f'not refused: {message}')


def locks():
    task_id = call('POST', '/external-task/create', {'topicName': 'python-locks', 'businessKey': 'order 17', 'tenantId': 'north'})['id']
    client, task = once('python-locks')
    same((task_id, 'order 17', 'north', 'python-locks-worker'),
         (task.get_task_id(), task.get_business_key(), task.get_tenant_id(), task.get_worker_id()))
    other = ExternalTaskClient('other', BASE, AUTH)
    refused(f"received 400 : RestException : External Task {task_id} cannot be completed by worker 'other'. It is locked by worker "
            "'python-locks-worker'.", other.complete, task_id, {})
    same(True, client.bpmn_failure(task_id, 'no-stock', 'nothing left', {'left': 0}))
    refused(f'received 404 : RestException : External task with id {task_id} does not exist', client.complete, task_id, {})


retries()
variables()
locks()
