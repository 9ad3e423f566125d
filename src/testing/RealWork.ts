/**
 * What a world has going on outside of Effect: timers, files, sockets, processes, the thread pool, workers.
 *
 * Owns: whether something goes on that may wake a fiber of the world. Does not own: what that means for time.
 *
 * Node tells of whatever it waits for through `async_hooks`, and who asked for it through `AsyncLocalStorage`: so that what
 * the test framework, the test and other worlds have going on does not count. What ends by itself counts until it has ended.
 * What does not (an interval, an idle connection, a port) counts for a fiber only if the operation in which it waits has asked
 * for it, or if it was asked for something in the same body and has not answered.
 *
 * @since 0.1.0
 */
import * as Fiber from "effect/Fiber"
import { AsyncLocalStorage, AsyncResource, createHook } from "node:async_hooks"
import { MessagePort } from "node:worker_threads"
import { noteMade } from "../execution/Fibers.ts"

/** Moments are counted, one for each operation of a fiber of any world. */
let moment = 0

/** A new moment, at which a fiber does something. */
export const nextMoment = (): number => ++moment

/** A fiber that waits for something. */
export interface Waiter {
  readonly id: number
  /** The moment since which it waits. */
  readonly since: number
  /** The moment since which the body or the call runs that it belongs to. */
  readonly body: number
  /** Whether it has forked nobody for whom it could be waiting. */
  readonly isLeaf: boolean
}

/** Something that Node has going on. */
interface Going {
  readonly kind: "timer" | "request" | "compression" | "process" | "native"
  readonly owner: RealWork
  readonly begun: number
  /** The fiber that asked for it, unless that was code which goes on after a promise or a callback. */
  readonly by: number | undefined
  /** Weak: what has ended without a word is collected. */
  readonly resource: WeakRef<object>
  /** Whether it is asked for by a promise of Node, which leaves no callback on the resource. */
  readonly isPromised: boolean
}

/** A connection to somebody else. Its server's side is none. */
interface Connection {
  readonly owner: RealWork | undefined
  readonly handle: WeakRef<object>
  /** Bytes that were written when something was read last. */
  answered: number
  /** When it was read last. */
  read: number
  /** Bytes that were written, and the moment at which that was noticed. */
  written: number
  noticed: number
}

/** A port that a world has sent something. */
interface Conversation {
  readonly owner: RealWork
  /** When it was sent something last, and when it said something last. */
  asked: number
  answered: number
  by: number | undefined
}

const owners = new AsyncLocalStorage<RealWork>()
const going = new Map<number, Going>()
const connections = new Map<number, Connection>()
const servers = new Set<number>()
const portIds = new WeakMap<object, number>()
/** Ports that were sent something, by their ids. */
const conversations = new Map<number, Conversation>()

const kindOf = (type: string, resource: object): Going["kind"] | undefined => {
  if (type === "Timeout") return "timer"
  if (type === "PROCESSWRAP") return "process"
  if (type === "ZLIB") return "compression"
  // Writes are seen on their connections: some are done on the spot, and nobody is called back.
  if (/REQUEST$|^FSREQ|REQWRAP$|CONNECTWRAP$|^QUERYWRAP$/.test(type)) {
    return type === "HTTPCLIENTREQUEST" ? undefined : "request"
  }
  // Node's own other types are in capitals, or these. Add-ons name theirs as they like.
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

/** Work of the thread pool that cryptography asks for. */
const isJob = (resource: object): boolean => resource.constructor.name.endsWith("Job")

/** Looks who creates what is being created. */
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

/** Node calls back for something: a connection is read, or a message has come. */
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
  // Promises tell nothing, and there are many. Older Nodes tell of them all the same.
  trackPromises: false
}).enable()

const fieldOf = (object: object | undefined, name: string): unknown =>
  object === undefined ? undefined : Reflect.get(object, name)

const writtenOn = ({ handle }: Connection): number => Number(fieldOf(handle.deref(), "bytesWritten") ?? 0)

// --- Messages to workers ------------------------------------------------------------------------------------------------

// oxlint-disable-next-line typescript/unbound-method -- it is applied to the port that it belongs to
const { postMessage } = MessagePort.prototype

/** Node tells when a message has come, but not when one leaves. As long as a world is there, this does. */
const notingPost = function (this: MessagePort, ...args: Parameters<typeof postMessage>): void {
  owners.getStore()?.posted(this)
  Reflect.apply(postMessage, this, args)
}

/** Where a promise was made is known only to those who hear of all of them. As long as a world is there, this does. */
const promises = createHook({
  init: (_, type) => {
    if (type === "PROMISE") noteMade()
  }
})

let worlds = 0

// --- One world ----------------------------------------------------------------------------------------------------------

export class RealWork {
  /** Grows whenever something begins, ends or goes on. */
  events = 0

  constructor() {
    if (worlds++ > 0) return
    MessagePort.prototype.postMessage = notingPost
    promises.enable()
  }

  /** Runs what belongs to this world. */
  within<A>(run: () => A): A {
    return owners.run(this, run)
  }

  /** Ends with its world. */
  stop(): void {
    for (const all of [going, connections, conversations]) {
      for (const [id, { owner }] of all) if (owner === this) all.delete(id)
    }
    if (--worlds > 0) return
    promises.disable()
    if (MessagePort.prototype.postMessage === notingPost) MessagePort.prototype.postMessage = postMessage
  }

  /** Whether something is computed or read for this world that ends by itself, however slow the machine is. */
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

  /** Notes what was written on connections. To be called now and then. */
  look(): void {
    for (const connection of connections.values()) {
      const written = writtenOn(connection)
      if (written === connection.written) continue
      connection.written = written
      connection.noticed = moment
    }
  }

  /** In a few words, what goes on that may wake a fiber. */
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
    // What nobody's world has opened, others may be talking on.
    return (written > answered && noticed >= body) || (owner === this && isLeaf && read >= since)
  }
}

/** What is printed has no answer. */
const isStandardStream = (handle: WeakRef<object>): boolean => [0, 1, 2].includes(Number(fieldOf(handle.deref(), "fd")))

const words: Readonly<Record<Going["kind"], string>> = {
  timer: "a timer",
  request: "a request to the operating system or the thread pool",
  compression: "a compression",
  process: "a child process",
  native: "work of a native module"
}

/** Whoever was asked since the wait began may have more to say than one answer. */
const isOpen = ({ answered, asked, by }: Conversation, waiter: Waiter): boolean =>
  isMadeBy(waiter, asked, by) ||
  (asked >= waiter.body && (answered < asked || (waiter.isLeaf && answered >= waiter.since)))

/** Whether something was asked for by the very operation of a fiber that waits now, or by what goes on after it. */
const isMadeBy = ({ id, isLeaf, since }: Waiter, begun: number, by: number | undefined): boolean =>
  begun >= since && (by === undefined ? isLeaf : by === id)

/** The id by which Node calls a port. One that is older than this module has none that is known. */
const idOf = (port: MessagePort): number => {
  const known = portIds.get(port)
  if (known !== undefined) return known
  portIds.set(port, --unknownPorts)
  return unknownPorts
}

let unknownPorts = 0

/** Some of what Node creates never runs, or has ended without a word. */
const isRunning = ({ isPromised, kind, resource }: Going): boolean => {
  const object = resource.deref()
  if (object === undefined) return false
  switch (kind) {
    case "compression":
      return (fieldOf(object, "buffer") ?? null) !== null
    case "request":
      // Work of the thread pool that was done on the spot has nobody to call back.
      return isPromised || !isJob(object) || fieldOf(object, "ondone") !== undefined
    default:
      return true
  }
}

/** What ends by itself may wake whoever waits; an interval, and a timer that keeps no process alive, those who made it. */
const mayWake = ({ begun, by, kind, resource }: Going, waiter: Waiter): boolean => {
  if (kind === "native") return isMadeBy(waiter, begun, by)
  const timer = resource.deref()
  if (kind !== "timer" || !isTimeout(timer)) return true
  return isMadeBy(waiter, begun, by) || ((fieldOf(timer, "_repeat") ?? null) === null && timer.hasRef())
}

const isTimeout = (object: object | undefined): object is NodeJS.Timeout =>
  typeof fieldOf(object, "hasRef") === "function"

/** Runs what belongs to no world, although one may have asked for it. */
export const outside = <A>(run: () => A): A => owners.exit(run)
