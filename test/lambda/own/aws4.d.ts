/** What the tests use of a package that brings no types. */
declare module "aws4" {
  interface Request {
    readonly method: string
    readonly host: string
    readonly path: string
    readonly service: string
    readonly region: string
    readonly headers: Record<string, string>
    readonly body?: string
    readonly extraHeadersToIgnore?: Readonly<Record<string, boolean>>
  }
  interface Credentials {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
  const aws4: {
    readonly sign: (request: Request, credentials: Credentials) => { readonly headers: Record<string, string> }
  }
  export default aws4
}
