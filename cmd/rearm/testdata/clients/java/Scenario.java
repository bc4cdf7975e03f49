import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.camunda.bpm.client.ExternalTaskClient;
import org.camunda.bpm.client.exception.BadRequestException;
import org.camunda.bpm.client.exception.NotFoundException;
import org.camunda.bpm.client.exception.RestException;
import org.camunda.bpm.client.interceptor.ClientRequestInterceptor;
import org.camunda.bpm.client.interceptor.auth.BasicAuthProvider;
import org.camunda.bpm.client.task.ExternalTask;
import org.camunda.bpm.client.task.ExternalTaskService;
import org.camunda.bpm.client.topic.TopicSubscriptionBuilder;
import org.camunda.bpm.client.variable.ClientValues;
import org.camunda.bpm.client.variable.value.JsonValue;
import org.camunda.bpm.engine.variable.VariableMap;
import org.camunda.bpm.engine.variable.value.FileValue;
import org.camunda.bpm.engine.variable.value.ObjectValue;

/**
 * A worker made with camunda-external-task-client against a server: java -cp 'LIBRARIES/*' Scenario.java BASE_URL
 * It logs in as REARM_USER with REARM_PASSWORD where these are set.
 * It fails 50 tasks for good, re-arms them in bulk, and completes them; sends and reads a variable of every type; and meets
 * refusals. It exits with 1 and says what was different.
 */
public class Scenario {
  static final ObjectMapper JSON = new ObjectMapper();
  static final HttpClient HTTP = HttpClient.newHttpClient();
  static final String USER = System.getenv("REARM_USER"), PASSWORD = System.getenv("REARM_PASSWORD");
  static String base;

  public static void main(String[] args) {
    base = args[0];
    try {
      retries();
      variables();
      locks();
    } catch (Throwable e) {
      fail(e);
    }
    System.exit(0); // the clients' threads poll on
  }

  static void fail(Throwable e) {
    e.printStackTrace();
    System.exit(1);
  }

  static void same(Object want, Object got) {
    if (!Objects.deepEquals(want, got)) {
      throw new AssertionError("expected " + show(want) + ", got " + show(got));
    }
  }

  static String show(Object o) {
    return o instanceof byte[] b ? Arrays.toString(b) : String.valueOf(o);
  }

  /** Sends a request for which the client has no method, and gives the text of the answer. */
  static String call(String method, String path, Object body) throws Exception {
    var content = body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body));
    var request = HttpRequest.newBuilder(URI.create(base + path)).header("Content-Type", "application/json").method(method, content);
    if (USER != null) {
      request.header("Authorization", "Basic " + Base64.getEncoder().encodeToString((USER + ":" + PASSWORD).getBytes()));
    }
    var response = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() >= 300) {
      throw new AssertionError(method + " " + path + ": " + response.statusCode() + " " + response.body());
    }
    return response.body();
  }

  static JsonNode ask(String path) throws Exception {
    return JSON.readTree(call("GET", path, null));
  }

  static JsonNode send(String path, Object body) throws Exception {
    return JSON.readTree(call("POST", path, body));
  }

  /** Waits for what a worker or the server does meanwhile. */
  static void until(String what, Callable<Boolean> ok) throws Exception {
    for (long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1); !ok.call(); Thread.sleep(10)) {
      if (System.nanoTime() > end) {
        throw new AssertionError("waited in vain until " + what);
      }
    }
  }

  static ExternalTaskClient client(String workerId, int maxTasks) {
    ClientRequestInterceptor login = USER == null ? request -> {} : new BasicAuthProvider(USER, PASSWORD);
    return ExternalTaskClient.create().baseUrl(base).workerId(workerId).maxTasks(maxTasks).asyncResponseTimeout(1000)
      .disableBackoffStrategy().addInterceptor(login).build();
  }

  /** Gives the first task of a topic that a worker gets; the worker ends then, and the service is there to answer with. */
  record One(ExternalTask task, ExternalTaskService service) {
    static One of(String topic, Callable<TopicSubscriptionBuilder> subscription, ExternalTaskClient client) throws Exception {
      BlockingQueue<One> got = new LinkedBlockingQueue<>();
      subscription.call().handler((task, service) -> got.add(new One(task, service))).open();
      One one = got.poll(1, TimeUnit.MINUTES);
      if (one == null) {
        throw new AssertionError("waited in vain for a task of " + topic);
      }
      client.stop();
      return one;
    }
  }

  static One once(String topic) throws Exception {
    ExternalTaskClient client = client(topic + "-worker", 1);
    return One.of(topic, () -> client.subscribe(topic).lockDuration(60_000).includeExtensionProperties(true), client);
  }

  static void retries() throws Exception {
    String topic = "java-retries";
    Set<String> failed = ConcurrentHashMap.newKeySet(), completed = ConcurrentHashMap.newKeySet();
    ExternalTaskClient client = client(topic + "-worker", 20);
    client.subscribe(topic).handler((task, service) -> {
      try {
        if (task.getRetries() == null) {
          service.handleFailure(task, "no route to host", "at send", 0, 0);
          failed.add(task.getId());
          return;
        }
        same(List.of(2, "no route to host", "at send"), List.of(task.getRetries(), task.getErrorMessage(), task.getErrorDetails()));
        service.complete(task);
        completed.add(task.getId());
      } catch (Throwable e) {
        fail(e);
      }
    }).open();
    var tasks = IntStream.range(0, 50).mapToObj(i -> Map.of("topicName", topic, "businessKey", "order " + i)).toList();
    Set<String> ids = Set.of(JSON.treeToValue(send("/external-task/create-bulk", Map.of("externalTasks", tasks)).get("externalTaskIds"), String[].class));
    until("50 tasks have failed", () -> failed.size() == 50);

    var query = Map.of("topicName", topic, "noRetriesLeft", true);
    same(50, send("/external-task/count", query).get("count").asInt());
    var incidents = StreamSupport.stream(ask("/incident?incidentType=failedExternalTask").spliterator(), false).map(i -> i.get("configuration").asText());
    same(ids, incidents.filter(ids::contains).collect(Collectors.toSet()));
    same(0, completed.size());

    JsonNode batch = send("/external-task/retries-async", Map.of("retries", 2, "externalTaskQuery", query));
    same(50, batch.get("totalJobs").asInt());
    until("the batch has ended", () -> !ask("/history/batch/" + batch.get("id").asText()).get("endTime").isNull());
    until("50 tasks are completed", () -> completed.size() == 50);
    same(ids, completed);
    same(0, ask("/external-task/count?topicName=" + topic).get("count").asInt());
    client.stop();
  }

  static final byte[] BYTES = {0, 1, 127, -128, -1};
  static final String TEXT = "Grüße, 世界 📮 <&>\n";
  static final Date DATE = new Date(1358948565678L);

  static Map<String, Object> typed(String type, Object value, Map<String, String> info) {
    Map<String, Object> variable = new HashMap<>(Map.of("type", type, "valueInfo", info));
    variable.put("value", value);
    return variable;
  }

  /** What an application gives a task. */
  static Map<String, Object> sent() {
    Map<String, Object> all = new HashMap<>();
    all.put("string", typed("String", TEXT, Map.of()));
    all.put("boolean", typed("Boolean", true, Map.of()));
    all.put("short", typed("Short", Short.MIN_VALUE, Map.of()));
    all.put("integer", typed("Integer", Integer.MAX_VALUE, Map.of()));
    all.put("long", typed("Long", Long.MAX_VALUE, Map.of()));
    all.put("double", typed("Double", 0.1, Map.of()));
    all.put("date", typed("Date", "2013-01-23T14:42:45.678+0100", Map.of()));
    all.put("bytes", typed("Bytes", BYTES, Map.of()));
    all.put("null", typed("Null", null, Map.of()));
    all.put("json", typed("Json", "{\"a\":[1,null]}", Map.of()));
    all.put("object", typed("Object", "[\"a\",\"b\"]",
      Map.of("objectTypeName", "java.util.ArrayList<java.lang.String>", "serializationDataFormat", "application/json")));
    all.put("file", typed("File", BYTES, Map.of("filename", "b.bin", "mimeType", "application/x-b", "encoding", "UTF-8")));
    return all;
  }

  /** The same as the client's values. */
  static VariableMap values() {
    return ClientValues.createVariables()
      .putValue("string", TEXT).putValue("boolean", true).putValue("short", Short.MIN_VALUE).putValue("integer", Integer.MAX_VALUE)
      .putValue("long", Long.MAX_VALUE).putValue("double", 0.1).putValue("date", DATE).putValue("bytes", BYTES).putValue("null", null)
      .putValueTyped("json", ClientValues.jsonValue("{\"a\":[1,null]}"))
      .putValueTyped("object", ClientValues.objectValue(List.of("a", "b")).serializationDataFormat("application/json").create())
      .putValueTyped("file", ClientValues.fileValue("b.bin").file(BYTES).mimeType("application/x-b").encoding("UTF-8").create());
  }

  /** Compares all variables of a task. */
  static void check(ExternalTask task) throws Exception {
    VariableMap got = task.getAllVariablesTyped();
    same(sent().keySet(), got.keySet());
    for (String name : List.of("string", "boolean", "short", "integer", "long", "double", "date", "bytes", "null")) {
      same(values().getValue(name, Object.class), task.getVariable(name));
      same(name, got.getValueTyped(name).getType().getName());
    }
    same("{\"a\":[1,null]}", got.<JsonValue>getValueTyped("json").getValue());
    ObjectValue object = got.getValueTyped("object");
    same(List.of("a", "b"), object.getValue());
    same("[\"a\",\"b\"]", object.getValueSerialized());
    FileValue file = got.getValueTyped("file");
    same(List.of("b.bin", "application/x-b", "UTF-8"), List.of(file.getFilename(), file.getMimeType(), file.getEncoding()));
    try (InputStream content = file.getValue()) {
      same(BYTES, content.readAllBytes());
    }
  }

  static void variables() throws Exception {
    JsonNode created = send("/external-task/create", Map.of("topicName", "java-first", "variables", sent(), "extensionProperties", Map.of("team", "blue")));
    One first = once("java-first");
    same("blue", first.task.getExtensionProperty("team"));
    check(first.task);

    String scope = created.get("processInstanceId").asText();
    for (String topic : List.of("java-second", "java-third")) {
      send("/external-task/create", Map.of("topicName", topic, "processInstanceId", scope));
    }
    VariableMap passing = values().putValueTyped("passing", ClientValues.integerValue(1, true));
    first.service.complete(first.task, passing, Map.of("mine", 1));
    One second = once("java-second");
    check(second.task); // neither the transient variable nor the one of the first task alone

    second.service.setVariables(second.task, Map.of("wanted", 1L << 40, "other", "x"));
    second.service.handleFailure(second.task.getId(), "again", null, 1, 0, Map.of("tried", (short) 1), Map.of("mine", 2));
    same(Map.of("mine", 2, "tried", (short) 1), subset("java-second", "mine", "tried"));
    same(Map.of("wanted", 1L << 40), subset("java-third", "wanted", "mine", "none"));
  }

  /** Gives those variables of a topic's next task, which is chosen by another one, and completes it. */
  static Map<String, Object> subset(String topic, String... names) throws Exception {
    ExternalTaskClient client = client(topic + "-worker", 1);
    One one = One.of(topic, () -> client.subscribe(topic).variables(names).processVariableEquals("other", "x"), client);
    one.service.complete(one.task);
    return one.task.getAllVariables();
  }

  /** Checks the exception that the client makes of an answer. */
  static void refused(Class<? extends RestException> kind, String message, Runnable call) {
    try {
      call.run();
    } catch (RestException e) {
      same(kind, e.getClass());
      same(List.of("RestException", 0, true), List.of(e.getType(), e.getCode(), e.getMessage().contains(message)));
      return;
    }
    throw new AssertionError("not refused: " + message);
  }

  static void locks() throws Exception {
    String id = send("/external-task/create", Map.of("topicName", "java-locks", "priority", 7, "businessKey", "order 17")).get("id").asText();
    One one = once("java-locks");
    same(List.of(id, 7L, "java-locks-worker", "order 17"),
      List.of(one.task.getId(), one.task.getPriority(), one.task.getWorkerId(), one.task.getBusinessKey()));
    same(true, one.task.getCreateTime().before(one.task.getLockExpirationTime()));
    one.service.extendLock(one.task, 120_000);
    one.service.unlock(one.task);
    call("POST", "/external-task/" + id + "/lock", Map.of("workerId", "other", "lockDuration", 60_000));
    refused(BadRequestException.class, "External Task " + id + " cannot be completed by worker 'java-locks-worker'. It is locked by worker 'other'.",
      () -> one.service.complete(one.task));
    call("POST", "/external-task/" + id + "/unlock", null);
    one.service.lock(one.task, 60_000);
    one.service.handleBpmnError(one.task, "no-stock", "nothing left", Map.of("left", 0));
    refused(NotFoundException.class, "External task with id " + id + " does not exist", () -> one.service.complete(one.task));
  }
}
