"""A runtime for Lambda in a few lines of Python: what any language needs to be a function of the engine."""
import json
import os
import urllib.request

base = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"


def post(path, value):
    body = json.dumps(value).encode()
    urllib.request.urlopen(urllib.request.Request(base + path, data=body, method="POST")).read()


while True:
    with urllib.request.urlopen(base + "next") as response:
        request_id = response.headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.loads(response.read())
    if event.get("fail"):
        post(request_id + "/error", {"errorType": "ValueError", "errorMessage": "told to fail"})
    else:
        post(request_id + "/response", {"language": "python", "sum": sum(event["numbers"])})
