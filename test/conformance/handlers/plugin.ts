/** The suite `plugin`: hooks that AWS's SDK calls on its way. This library has none yet. */

const subjects = {
  "10-1": "hooks at the start and the end of an invocation",
  "10-2": "hooks at the start and the end of a step",
  "10-3": "hooks of each attempt",
  "10-4": "a plugin that throws",
  "10-5": "two plugins",
  "10-6": "whether an invocation is the first one",
  "10-7": "the end of an invocation that fails",
  "10-8": "changes of operations",
  "10-9": "a wait that ends between invocations",
  "10-10": "hooks of a wait",
  "10-11": "the parent of a step",
  "10-12": "hooks around the functions of branches",
  "10-13": "whether an operation is replayed",
  "10-14": "the result or the error of an operation",
  "10-15": "hooks of attempts until there are no more",
  "10-16": "the end of an invocation that suspends",
  "10-17": "a plugin that throws beside one that does not",
  "10-18": "a pending wait, told of again",
  "10-19": "all that is told of an invocation",
  "10-20": "all that is told of an operation",
  "10-21": "all that is told of an attempt",
  "10-22": "all that is told of a change",
  "10-23": "the kinds of operations, and whether children are replayed"
}

export const notImplemented: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(subjects).map(([id, subject]) => [id, `the library has no plugins yet: ${subject}`])
)
