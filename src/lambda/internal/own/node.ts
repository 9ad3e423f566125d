/**
 * The Node modules of this library's client, loaded at their first use.
 *
 * They are not imported: an `import` of `node:http` evaluates everything that it exports, and so loads the whole of `fetch`
 * and WebSocket. That costs ten times as much as the module itself, in every cold start.
 *
 * @since 0.1.0
 */

export const nodeCrypto = () => process.getBuiltinModule("node:crypto")
export const nodeHttp = () => process.getBuiltinModule("node:http")
export const nodeHttps = () => process.getBuiltinModule("node:https")
export const nodeTls = () => process.getBuiltinModule("node:tls")
