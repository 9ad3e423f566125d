/**
 * The real work of a world outside of Effect: timers, files, sockets, processes, the thread pool, workers.
 *
 * Owns: whether real work is in progress that may wake a fiber of the world. Does not own: its meaning for virtual time.
 *
 * Node reports all pending work through `async_hooks`, and its origin through `AsyncLocalStorage`, so that work of the test
 * framework, the test and other worlds does not count. Work that ends by itself counts until it has ended. Other work (an
 * interval, an idle connection, a port) counts for a fiber only in two cases: the operation in which the fiber waits has
 * started it, or the same body has sent it a request that is not answered.
 *
 * @since 0.1.0
 */
import * as Fiber from "effect/Fiber"
import { AsyncLocalStorage, AsyncResource, createHook } from "node:async_hooks"
import { MessagePort } from "node:worker_threads"
import { noteMade } from "../execution/Fibers.ts"

/** The counter of moments, one for each operation of a fiber of any world. */
let moment = 0

/** Returns a new moment, at which a fiber is active. */
export const nextMoment = (): number => ++moment

/** A fiber that waits. */
export interface Waiter {
  readonly id: number
  /** The moment since which it waits. */
  readonly since: number
  /** The moment since which the body or call runs that it belongs to. */
  readonly body: number
  /** Whether it has no children that it could be waiting for. */
  readonly isLeaf: boolean
}

/** Work that Node has in progress. */
interface Going {
  readonly kind: "timer" | "request" | "compression" | "process" | "native"
  readonly owner: RealWork
  readonly begun: number
  /** The fiber that started it, unless code after a promise or a callback did. */
  readonly by: number | undefined
  /** Weak, because work that has ended without notice is collected. */
  readonly resource: WeakRef<object>
  /** Whether a promise of Node started it, which leaves no callback on the resource. */
  readonly isPromised: boolean
}

/** A client's side of a connection. The server's side is not tracked. */
interface Connection {
  readonly owner: RealWork | undefined
  readonly handle: WeakRef<object>
  /** The number of bytes written at the time of the last read. */
  answered: number
  /** The moment of the last read. */
  read: number
  /** The number of bytes written, and the moment at which that was noticed. */
  written: number
  noticed: number
}

/** A port to which a world has sent a message. */
interface Conversation {
  readonly owner: RealWork
  /** The moments of the last sent and the last received message. */
  asked: number
  answered: number
  by: number | undefined
}

const owners = new AsyncLocalStorage<RealWork>()
const going = new Map<number, Going>()
const connections = new Map<number, Connection>()
const servers = new Set<number>()
const portIds = new WeakMap<object, number>()
/** The ports to which messages were sent, by their ids. */
const conversations = new Map<number, Conversation>()

const kindOf = (type: string, resource: object): Going["kind"] | undefined => {
  if (type === "Timeout") return "timer"
  if (type === "PROCESSWRAP") return "process"
  if (type === "ZLIB") return "compression"
  // Writes are seen on their connections: some complete immediately, without a callback.
  if (/REQUEST$|^FSREQ|REQWRAP$|CONNECTWRAP$|^QUERYWRAP$/.test(type)) {
    return type === "HTTPCLIENTREQUEST" ? undefined : "request"
  }
  // Node's own other types are in capitals, or these. Add-ons choose their own names.
  const isNative = /[a-z]/.test(type) && !/^(?:Immediate|TickObject|Microtask)$/.test(type)
  return isNative && !(resource instanceof AsyncResource) ? "native" : undefined
}

const begin = (id: number, type: string, trigger: number, resource: object): void => {
  if (type === "PROMISE") return
  const owner = owners.getStore()
  if (/^(?:TCP|PIPE)WRAP$/.test(type)) return void (servers.has(trigger) || connect(id, owner, resource))
  if (/^(?:TCP|PIPE)SERVERWRAP$/.test(type)) return void servers.add(id)
  if (type === "MESSAGEPORT") return void portIds.set(resource, id)
  const kind = owner === undefined ? undefined : kindOf(type, resource)
  if (owner === undefined || kind === undefined) return
  owner.events++
  going.set(id, {
    kind,
    owner,
    begun: moment,
    by: Fiber.getCurrent()?.id,
    resource: new WeakRef(resource),
    isPromised: isJob(resource) && isAskedByWebCrypto()
  })
}

/** Returns whether a resource is work of cryptography in the thread pool. */
const isJob = (resource: object): boolean => resource.constructor.name.endsWith("Job")

/** Returns whether Web Crypto creates the current resource, by the call stack. */
const isAskedByWebCrypto = (): boolean => {
  // oxlint-disable-next-line typescript/unbound-method -- it is put back as it was
  const { prepareStackTrace, stackTraceLimit } = Error
  try {
    Error.stackTraceLimit = 12
    Error.prepareStackTrace = (_, sites) => sites.some((site) => site.getFunctionName() === "jobPromise")
    return fieldOf(new Error("who asks"), "stack") === true
  } finally {
    Object.assign(Error, { prepareStackTrace, stackTraceLimit })
  }
}

const connect = (id: number, owner: RealWork | undefined, resource: object): void => {
  const handle = new WeakRef(resource)
  connections.set(id, { owner, handle, answered: 0, read: -1, written: 0, noticed: -1 })
}

/** Records a callback of Node: a connection is read, or a message has come. */
const hear = (id: number): void => {
  const connection = connections.get(id)
  if (connection !== undefined) {
    connection.read = moment
    connection.answered = writtenOn(connection)
    if (connection.owner !== undefined) connection.owner.events++
    return
  }
  const conversation = conversations.get(id)
  if (conversation === undefined) return
  conversation.answered = moment
  conversation.owner.events++
}

const isOver = ({ kind }: Going): boolean => kind === "request" || kind === "native"

createHook({
  init: begin,
  before: hear,
  after: (id) => {
    const one = going.get(id)
    if (one === undefined || one.kind === "timer") return
    one.owner.events++
    if (isOver(one)) going.delete(id)
  },
  destroy: (id) => {
    going.delete(id)
    connections.delete(id)
    servers.delete(id)
    conversations.delete(id)
  },
  // Promises carry no information, and there are many. Older Nodes report them nevertheless.
  trackPromises: false
}).enable()

const fieldOf = (object: object | undefined, name: string): unknown =>
  object === undefined ? undefined : Reflect.get(object, name)

const writtenOn = ({ handle }: Connection): number => Number(fieldOf(handle.deref(), "bytesWritten") ?? 0)

// --- Messages to workers ------------------------------------------------------------------------------------------------

// oxlint-disable-next-line typescript/unbound-method -- it is applied to the port that it belongs to
const { postMessage } = MessagePort.prototype

/** Records that a message leaves. Node reports arriving messages only. Installed as long as a world exists. */
const notingPost = function (this: MessagePort, ...args: Parameters<typeof postMessage>): void {
  owners.getStore()?.posted(this)
  Reflect.apply(postMessage, this, args)
}

/** Records where promises are created, for which all promises have to be observed. Installed as long as a world exists. */
const promises = createHook({
  init: (_, type) => {
    if (type === "PROMISE") noteMade()
  }
})

let worlds = 0

// --- One world ----------------------------------------------------------------------------------------------------------

export class RealWork {
  /** Grows whenever work begins, ends or continues. */
  events = 0

  constructor() {
    if (worlds++ > 0) return
    MessagePort.prototype.postMessage = notingPost
    promises.enable()
  }

  /** Runs code that belongs to this world. */
  within<A>(run: () => A): A {
    return owners.run(this, run)
  }

  /** Ends the tracking together with its world. */
  stop(): void {
    for (const all of [going, connections, conversations]) {
      for (const [id, { owner }] of all) if (owner === this) all.delete(id)
    }
    if (--worlds > 0) return
    promises.disable()
    if (MessagePort.prototype.postMessage === notingPost) MessagePort.prototype.postMessage = postMessage
  }

  /** Whether work for this world is in progress that ends by itself, however slow the machine is. */
  get isComputing(): boolean {
    return this.#own.some((one) => one.kind === "compression" || (one.kind === "request" && isRunning(one)))
  }

  posted(port: MessagePort): void {
    this.events++
    const id = idOf(port)
    const known = conversations.get(id)
    const answered = known?.owner === this ? known.answered : -1
    conversations.set(id, { owner: this, asked: moment, answered, by: Fiber.getCurrent()?.id })
  }

  /** Records the bytes written on connections. Has to be called from time to time. */
  look(): void {
    for (const connection of connections.values()) {
      const written = writtenOn(connection)
      if (written === connection.written) continue
      connection.written = written
      connection.noticed = moment
    }
  }

  /** Returns, in a few words, the work in progress that may wake a fiber. */
  signs(waiter: Waiter): ReadonlyArray<string> {
    this.look()
    const found = this.#own.filter((one) => isRunning(one) && mayWake(one, waiter)).map(({ kind }) => words[kind])
    for (const connection of connections.values()) {
      if (this.#isTalking(connection, waiter)) found.push("a connection")
    }
    for (const conversation of conversations.values()) {
      if (conversation.owner === this && isOpen(conversation, waiter)) found.push("a message to a worker")
    }
    return [...new Set(found)]
  }

  get #own(): ReadonlyArray<Going> {
    return Array.from(going.values()).filter(({ owner }) => owner === this)
  }

  #isTalking(
    { answered, handle, noticed, owner, read, written }: Connection,
    { body, isLeaf, since }: Waiter
  ): boolean {
    if (owner !== undefined && owner !== this) return false
    if (isStandardStream(handle)) return false
    // Other code may be using a connection that no world has opened.
    return (written > answered && noticed >= body) || (owner === this && isLeaf && read >= since)
  }
}

/** Returns whether a handle is a standard stream. Printed output has no answer. */
const isStandardStream = (handle: WeakRef<object>): boolean => [0, 1, 2].includes(Number(fieldOf(handle.deref(), "fd")))

const words: Readonly<Record<Going["kind"], string>> = {
  timer: "a timer",
  request: "a request to the operating system or the thread pool",
  compression: "a compression",
  process: "a child process",
  native: "work of a native module"
}

/**
 * Returns whether a port may still send messages. A port that answered during the wait may have more than one answer.
 */
const isOpen = ({ answered, asked, by }: Conversation, waiter: Waiter): boolean =>
  isMadeBy(waiter, asked, by) ||
  (asked >= waiter.body && (answered < asked || (waiter.isLeaf && answered >= waiter.since)))

/** Returns whether work was started by the operation in which a fiber waits now, or by code that continues it. */
const isMadeBy = ({ id, isLeaf, since }: Waiter, begun: number, by: number | undefined): boolean =>
  begun >= since && (by === undefined ? isLeaf : by === id)

/** Returns Node's id of a port. A port that is older than this module has no known id. */
const idOf = (port: MessagePort): number => {
  const known = portIds.get(port)
  if (known !== undefined) return known
  portIds.set(port, --unknownPorts)
  return unknownPorts
}

let unknownPorts = 0

/** Returns whether work is in progress. Some resources of Node never run, or end without notice. */
const isRunning = ({ isPromised, kind, resource }: Going): boolean => {
  const object = resource.deref()
  if (object === undefined) return false
  switch (kind) {
    case "compression":
      return (fieldOf(object, "buffer") ?? null) !== null
    case "request":
      // Work of the thread pool that was done immediately has no callback.
      return isPromised || !isJob(object) || fieldOf(object, "ondone") !== undefined
    default:
      return true
  }
}

/**
 * Returns whether work may wake a waiting fiber. Work that ends by itself may wake any; an interval, or a timer that keeps
 * no process alive, only the fiber that created it.
 */
const mayWake = ({ begun, by, kind, resource }: Going, waiter: Waiter): boolean => {
  if (kind === "native") return isMadeBy(waiter, begun, by)
  const timer = resource.deref()
  if (kind !== "timer" || !isTimeout(timer)) return true
  return isMadeBy(waiter, begun, by) || ((fieldOf(timer, "_repeat") ?? null) === null && timer.hasRef())
}

const isTimeout = (object: object | undefined): object is NodeJS.Timeout =>
  typeof fieldOf(object, "hasRef") === "function"

/** Runs code that belongs to no world, although a world may have requested it. */
export const outside = <A>(run: () => A): A => owners.exit(run)
