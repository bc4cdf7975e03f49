"""A program made with generic-camunda-client, the SDK generated from the reference's document: python sdk.py BASE_URL
It logs in as REARM_USER with REARM_PASSWORD where these are set.

It fails 50 tasks for good, re-arms them in bulk, and completes them; sends and reads a variable of every type; and meets
refusals. It exits with 1 and says what was different.
"""
import base64
import datetime
import json
import sys
import time

import generic_camunda_client as sdk
import requests

from values import BYTES, LOGIN, OBJECT, TYPED, same

BASE = sys.argv[1]
CLIENT = sdk.ApiClient(sdk.Configuration(host=BASE))
if LOGIN:  # the reference's document names no way to log in
    CLIENT.set_default_header('Authorization', 'Basic ' + base64.b64encode(':'.join(LOGIN).encode()).decode())
TASKS, BATCHES, HISTORY = sdk.ExternalTaskApi(CLIENT), sdk.BatchApi(CLIENT), sdk.HistoricBatchApi(CLIENT)
INCIDENTS, SCOPES = sdk.IncidentApi(CLIENT), sdk.ProcessInstanceApi(CLIENT)


def create(path, body):
    """Creates tasks: the reference has no such operation, and so the SDK has none."""
    answer = requests.post(f'{BASE}/external-task/{path}', json=body, auth=LOGIN, timeout=60)
    assert answer.ok, answer.text
    return answer.json()


def fetch(topic, count=1, wait=0, **options):
    """Fetches tasks of a topic, which have to be as many. It may wait for them, in milliseconds."""
    topics = [sdk.FetchExternalTaskTopicDto(topic_name=topic, lock_duration=60_000, **options)]
    tasks = TASKS.fetch_and_lock(fetch_external_tasks_dto=sdk.FetchExternalTasksDto(
        worker_id='sdk', max_tasks=max(count, 1), use_priority=True, async_response_timeout=wait, topics=topics))
    same(count, len(tasks))
    return tasks


def complete(task_id, variables=None, local=None):
    body = sdk.CompleteExternalTaskDto(worker_id='sdk', variables=variables, local_variables=local)
    TASKS.complete_external_task_resource(task_id, complete_external_task_dto=body)


def retries():
    topic = 'sdk-retries'
    tasks = [{'topicName': topic, 'businessKey': f'order {i}', 'priority': i} for i in range(50)]
    ids = create('create-bulk', {'externalTasks': tasks})['externalTaskIds']
    got = fetch(topic, 50)
    same(ids[::-1], [task.id for task in got])  # by priority
    now = datetime.datetime.now(datetime.timezone.utc)
    same(50, TASKS.get_external_tasks_count(topic_name=topic, lock_expiration_after=now, locked=True).count)
    for task in got:
        assert abs((task.lock_expiration_time - now).total_seconds() - 60) < 50, task.lock_expiration_time
        failure = sdk.ExternalTaskFailureDto(worker_id='sdk', error_message='no route to host', error_details='at send', retries=0, retry_timeout=0)
        TASKS.handle_failure(task.id, external_task_failure_dto=failure)
    same(50, TASKS.get_external_tasks_count(topic_name=topic, no_retries_left=True).count)
    # The SDK accepts nothing but JSON here, and this is text: the reference refuses it in the same way.
    refused(406, 'NotAcceptableException', None, TASKS.get_external_task_error_details, ids[0])
    incidents = INCIDENTS.get_incidents(incident_type='failedExternalTask')
    same((set(ids), {'no route to host'}), ({i.configuration for i in incidents}, {i.incident_message for i in incidents}))
    start = time.monotonic()
    fetch(topic, 0, wait=500)
    assert time.monotonic() - start > 0.5, 'a poll that finds nothing did not wait'

    query = sdk.ExternalTaskQueryDto(topic_name=topic, no_retries_left=True)
    batch = TASKS.set_external_task_retries_async_operation(
        set_retries_for_external_tasks_dto=sdk.SetRetriesForExternalTasksDto(retries=2, external_task_query=query))
    same(('set-external-task-retries', 50, 1), (batch.type, batch.total_jobs, batch.invocations_per_batch_job))
    end = time.monotonic() + 60
    while BATCHES.get_batches_count(batch_id=batch.id).count:
        assert time.monotonic() < end, 'the batch does not end'
        time.sleep(0.01)
    ended = HISTORY.get_historic_batch(batch.id)
    assert batch.start_time <= ended.start_time <= ended.execution_start_time <= ended.end_time, ended
    same(0, INCIDENTS.get_incidents_count(incident_type='failedExternalTask').count)
    for task in fetch(topic, 50):
        same((2, 'no route to host'), (task.retries, task.error_message))
        complete(task.id)
    same(0, TASKS.query_external_tasks_count(external_task_query_dto=sdk.ExternalTaskQueryDto(topic_name=topic)).count)


def check(task, scope):
    """Compares all variables of a task, as fetched and one by one."""
    want = {name: (variable['type'], variable['value'], variable.get('valueInfo', {})) for name, variable in TYPED.items()}
    want['date'] = ('Date', '2013-01-23T13:42:45.678+0000', {})
    want['file'] = ('File', None, TYPED['file']['valueInfo'])
    same(want, {name: (v.type, v.value, v.value_info) for name, v in task.variables.items()})
    want['object'] = ('Object', OBJECT, TYPED['object']['valueInfo'])
    for name in TYPED:
        v = SCOPES.get_process_instance_variable(scope, name)
        same(want[name], (v.type, v.value, v.value_info))
    for name in ('file', 'bytes'):
        with open(SCOPES.get_process_instance_variable_binary(scope, name), 'rb') as f:
            same(BYTES, f.read())


def variables():
    scope = create('create', {'topicName': 'sdk-first', 'variables': TYPED})['processInstanceId']
    for topic in ('sdk-second', 'sdk-third'):
        create('create', {'topicName': topic, 'processInstanceId': scope})
    [task] = fetch('sdk-first')
    check(task, scope)
    every = {name: sdk.VariableValueDto(value=v['value'], type=v['type'], value_info=v.get('valueInfo')) for name, v in TYPED.items()}
    every['passing'] = sdk.VariableValueDto(value=1, type='Integer', value_info={'transient': True})
    complete(task.id, every, {'mine': sdk.VariableValueDto(value=1)})
    [task] = fetch('sdk-second')
    check(task, scope)  # neither the transient variable nor the one of the first task alone

    SCOPES.modify_process_instance_variables(scope, patch_variables_dto=sdk.PatchVariablesDto(
        modifications={'wanted': sdk.VariableValueDto(value=2**40)}, deletions=['string', 'file']))
    complete(task.id)
    [task] = fetch('sdk-third', variables=['wanted', 'string', 'object'], process_variables={'wanted': 2**40}, deserialize_values=True)
    same({'wanted': 2**40, 'object': OBJECT}, {name: v.value for name, v in task.variables.items()})
    complete(task.id)


def refused(status, kind, message, call, *args):
    """Checks the exception that the SDK makes of an answer; any message will do where none is given."""
    try:
        call(*args)
    except sdk.ApiException as e:
        error = json.loads(e.body)
        same((status, kind, message or error['message']), (e.status, error['type'], error['message']))
        return
    raise AssertionError(f'not refused: {status} {kind} {message}')


def locks():
    task_id = create('create', {'topicName': 'sdk-locks'})['id']
    fetch('sdk-locks')
    TASKS.extend_lock(task_id, extend_lock_on_external_task_dto=sdk.ExtendLockOnExternalTaskDto(worker_id='sdk', new_duration=120_000))
    TASKS.unlock(task_id)
    TASKS.lock(task_id, lock_external_task_dto=sdk.LockExternalTaskDto(worker_id='other', lock_duration=60_000))
    refused(400, 'RestException', f"External Task {task_id} cannot be completed by worker 'sdk'. It is locked by worker 'other'.", complete, task_id)
    TASKS.set_external_task_resource_priority(task_id, priority_dto=sdk.PriorityDto(priority=9))
    TASKS.set_external_task_resource_retries(task_id, retries_dto=sdk.RetriesDto(retries=4))
    task = TASKS.get_external_task(task_id)
    same((9, 4, 'other', False), (task.priority, task.retries, task.worker_id, task.suspended))
    TASKS.handle_external_task_bpmn_error(task_id, external_task_bpmn_error=sdk.ExternalTaskBpmnError(worker_id='other', error_code='no-stock'))
    refused(404, 'RestException', f'External task with id {task_id} does not exist', complete, task_id)


retries()
variables()
locks()
