// A worker made with camunda-external-task-client-js against a server: node scenario.js BASE_URL
// It logs in as REARM_USER with REARM_PASSWORD where these are set.
// It fails 50 tasks for good, re-arms them in bulk, and completes them; sends and reads a variable of every type; and meets
// refusals. It exits with 1 and says what was different.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BasicAuthInterceptor, Client, File, Variables } from "camunda-external-task-client-js";

const base = process.argv[2];
const { REARM_USER: username, REARM_PASSWORD: password } = process.env;
const login = username ? { interceptors: new BasicAuthInterceptor({ username, password }) } : {};
const clients = [];

// call sends a request for which the client has no method, and gives the text of the answer.
async function call(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  if (username) headers.Authorization = `Basic ${btoa(`${username}:${password}`)}`;
  const res = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await res.text();
  assert.ok(res.ok, `${method} ${path}: ${res.status} ${text}`);
  return text;
}

const ask = async (path) => JSON.parse(await call("GET", path));
const send = async (path, body) => JSON.parse(await call("POST", path, body));

// until waits for what a worker or the server does meanwhile.
async function until(what, ok) {
  const end = Date.now() + 60_000;
  while (!(await ok())) {
    assert.ok(Date.now() < end, `waited in vain until ${what}`);
    await new Promise((wake) => setTimeout(wake, 10));
  }
}

// work subscribes a handler to a topic. An error in a handler or in a poll ends the program.
function work(topic, options, handler, maxParallelExecutions = 20) {
  const client = new Client({ baseUrl: base, workerId: `${topic}-worker`, interval: 10, asyncResponseTimeout: 1000, maxParallelExecutions, ...login });
  client.on("handler:error", fail);
  client.on("poll:error", fail);
  client.subscribe(topic, options, handler);
  clients.push(client);
}

// once gives the first task of a topic that a worker gets, and the service to answer with. The handler of it never ends, so that
// the worker fetches no other.
const never = new Promise(() => {});
const once = (topic, options = {}) => new Promise((got) => work(topic, options, (one) => (got(one), never), 1));

function fail(e) {
  console.error(e);
  process.exit(1);
}

async function retries() {
  const topic = "js-retries";
  const failed = new Set(), completed = new Set();
  work(topic, {}, async ({ task, taskService }) => {
    if (task.retries === null) {
      await taskService.handleFailure(task, { errorMessage: "no route to host", errorDetails: "at send", retries: 0, retryTimeout: 0 });
      failed.add(task.id);
      return;
    }
    assert.deepEqual([task.retries, task.errorMessage], [2, "no route to host"]);
    await taskService.complete(task);
    completed.add(task.id);
  });
  const externalTasks = Array.from({ length: 50 }, (_, i) => ({ topicName: topic, businessKey: `order ${i}` }));
  const { externalTaskIds } = await send("/external-task/create-bulk", { externalTasks });
  await until("50 tasks have failed", () => failed.size === 50);

  const query = { topicName: topic, noRetriesLeft: true };
  assert.deepEqual(await send("/external-task/count", query), { count: 50 });
  assert.equal(await call("GET", `/external-task/${externalTaskIds[0]}/errorDetails`), "at send");
  const incidents = (await ask("/incident?incidentType=failedExternalTask")).filter((i) => externalTaskIds.includes(i.configuration));
  assert.equal(incidents.length, 50);
  assert.equal(completed.size, 0, "a task without retries was fetched");

  const batch = await send("/external-task/retries-async", { retries: 2, externalTaskQuery: query });
  assert.deepEqual([batch.type, batch.totalJobs], ["set-external-task-retries", 50]);
  await until("the batch has ended", async () => (await ask(`/history/batch/${batch.id}`)).endTime !== null);
  await until("50 tasks are completed", () => completed.size === 50);
  assert.deepEqual(completed, new Set(externalTaskIds));
  assert.deepEqual(await ask(`/external-task/count?topicName=${topic}`), { count: 0 });
}

const bytes = Buffer.from([0, 1, 127, 128, 255]);
const info = { objectTypeName: "java.util.ArrayList", serializationDataFormat: "application/json" };
const date = new Date("2013-01-23T13:42:45.678Z");

// sent is what an application gives a task; read is what the client makes of it.
const sent = {
  string: { type: "String", value: "Grüße, 世界 📮 <&>\n" },
  boolean: { type: "Boolean", value: true },
  short: { type: "Short", value: -32768 },
  integer: { type: "Integer", value: 2147483647 },
  long: { type: "Long", value: "9223372036854775807" },
  double: { type: "Double", value: 0.1 },
  date: { type: "Date", value: "2013-01-23T14:42:45.678+0100" },
  bytes: { type: "Bytes", value: bytes.toString("base64") },
  null: { type: "Null", value: null },
  json: { type: "Json", value: '{"a":[1,null]}' },
  object: { type: "Object", value: '["a","b"]', valueInfo: info },
  file: { type: "File", value: bytes.toString("base64"), valueInfo: { filename: "b.bin", mimeType: "application/x-b", encoding: "UTF-8" } },
};
const read = {
  string: { type: "string", value: "Grüße, 世界 📮 <&>\n", valueInfo: {} },
  boolean: { type: "boolean", value: true, valueInfo: {} },
  short: { type: "short", value: -32768, valueInfo: {} },
  integer: { type: "integer", value: 2147483647, valueInfo: {} },
  double: { type: "double", value: 0.1, valueInfo: {} },
  date: { type: "date", value: date, valueInfo: {} },
  bytes: { type: "bytes", value: bytes.toString("base64"), valueInfo: {} },
  null: { type: "null", value: null, valueInfo: {} },
  json: { type: "json", value: { a: [1, null] }, valueInfo: {} },
  object: { type: "object", value: '["a","b"]', valueInfo: info },
};

// check compares all variables of a task. JavaScript has no number for 2^63-1, so that one is read as text.
async function check(task) {
  const { long, file, ...rest } = task.variables.getAllTyped();
  assert.deepEqual(rest, read);
  assert.equal(long.type, "long");
  assert.match(await call("GET", `/process-instance/${task.processInstanceId}/variables/long`), /"value":9223372036854775807\b/);
  const { value } = file;
  assert.deepEqual([value.filename, value.mimeType, value.encoding], ["b.bin", "application/x-b", "UTF-8"]);
  assert.deepEqual((await value.load()).content, bytes);
}

async function variables() {
  const first = await send("/external-task/create", { topicName: "js-first", variables: sent, extensionProperties: { team: "blue" } });
  const { processInstanceId } = first;
  const { task, taskService } = await once("js-first", { includeExtensionProperties: true });
  assert.deepEqual(task.extensionProperties, { team: "blue" });
  await check(task);

  await send("/external-task/create", { topicName: "js-second", processInstanceId });
  await send("/external-task/create", { topicName: "js-third", processInstanceId });
  const localPath = join(tmpdir(), "b.bin");
  await writeFile(localPath, bytes);
  const file = await new File({ localPath, mimetype: "application/x-b", encoding: "UTF-8" }).load();
  const all = new Variables().setAll({ string: read.string.value, boolean: true, integer: 2147483647, double: 0.1, date, null: null, json: { a: [1, null] }, file });
  all.setTyped("short", { type: "short", value: -32768 }).setTyped("long", { type: "long", value: "9223372036854775807" });
  all.setTyped("bytes", sent.bytes).setTyped("object", sent.object).setTransient("passing", 1);
  await taskService.complete(task, all, new Variables().set("mine", 1));
  const second = await once("js-second");
  await check(second.task); // neither the transient variable nor the one of the first task alone

  await second.taskService.complete(second.task, new Variables().setAll({ wanted: 2 ** 40, other: "x" }));
  const third = await once("js-third", { variables: ["wanted", "none"], processVariables: { other: "x" } });
  assert.deepEqual(third.task.variables.getAllTyped(), { wanted: { type: "long", value: 2 ** 40, valueInfo: {} } });
  await third.taskService.complete(third.task);
}

// refused checks the error that the client makes of an answer.
const refused = (call, status, message) => assert.rejects(call, (e) => {
  assert.deepEqual([e.name, e.httpStatusCode, e.type, e.code, e.engineMsg], ["EngineError", status, "RestException", 0, message]);
  return true;
});

async function locks() {
  const { id } = await send("/external-task/create", { topicName: "js-locks", priority: 7 });
  const { task, taskService } = await once("js-locks", { lockDuration: 60_000 });
  assert.deepEqual([task.id, task.priority, task.workerId, task.suspended], [id, 7, "js-locks-worker", false]);
  await taskService.extendLock(task, 120_000);
  await taskService.unlock(task);
  await call("POST", `/external-task/${id}/lock`, { workerId: "other", lockDuration: 60_000 });
  await refused(taskService.complete(task), 400, `External Task ${id} cannot be completed by worker 'js-locks-worker'. It is locked by worker 'other'.`);
  await call("POST", `/external-task/${id}/unlock`);
  await taskService.lock(task, 60_000);
  await taskService.handleBpmnError(task, "no-stock", "nothing left", new Variables().set("left", 0));
  await refused(taskService.complete(task), 404, `External task with id ${id} does not exist`);
}

try {
  await Promise.all([retries(), variables(), locks()]);
} catch (e) {
  fail(e);
}
clients.forEach((client) => client.stop());
