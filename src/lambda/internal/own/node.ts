/**
 * The modules of Node that our own client needs, loaded when they are needed first.
 *
 * They are not imported: an `import` of `node:http` looks at everything that it exports, and so loads the whole of `fetch`
 * and WebSocket, which costs ten times what the module itself does. That counts in a cold start.
 *
 * @since 0.1.0
 */

export const nodeCrypto = () => process.getBuiltinModule("node:crypto")
export const nodeHttp = () => process.getBuiltinModule("node:http")
export const nodeHttps = () => process.getBuiltinModule("node:https")
