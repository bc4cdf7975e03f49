"""What both scenarios share: who logs in, a variable of every type, and how results are compared."""
import base64
import os

LOGIN = (os.environ['REARM_USER'], os.environ['REARM_PASSWORD']) if 'REARM_USER' in os.environ else None
BYTES = bytes([0, 1, 127, 128, 255])
OBJECT = ['a', 'b']
_OBJECT_INFO = {'objectTypeName': 'java.util.ArrayList', 'serializationDataFormat': 'application/json'}
_FILE_INFO = {'filename': 'b.bin', 'mimeType': 'application/x-b', 'encoding': 'UTF-8'}

TYPED = {
    'string': {'type': 'String', 'value': 'Grüße, 世界 📮 <&>\n'},
    'boolean': {'type': 'Boolean', 'value': True},
    'short': {'type': 'Short', 'value': -(2**15)},
    'integer': {'type': 'Integer', 'value': 2**31 - 1},
    'long': {'type': 'Long', 'value': 2**63 - 1},
    'double': {'type': 'Double', 'value': 0.1},
    'date': {'type': 'Date', 'value': '2013-01-23T14:42:45.678+0100'},
    'bytes': {'type': 'Bytes', 'value': base64.b64encode(BYTES).decode()},
    'null': {'type': 'Null', 'value': None},
    'json': {'type': 'Json', 'value': '{"a":[1,null]}'},
    'object': {'type': 'Object', 'value': '["a","b"]', 'valueInfo': _OBJECT_INFO},
    'file': {'type': 'File', 'value': base64.b64encode(BYTES).decode(), 'valueInfo': _FILE_INFO},
}


def same(want, got):
    assert want == got, f'expected {want!r}, got {got!r}'
