/**
 * The address of requests: the service of a region, or an address from the environment or an option.
 *
 * Owns: the addresses of the Lambda API in AWS's partitions, and which environment variables are read.
 * Does not own: paths and connections.
 *
 * @since 0.1.0
 */

/** An address, split into the parts that a request needs. */
export interface Endpoint {
  readonly region: string
  readonly secure: boolean
  /** The host name, without the brackets of an IPv6 address. */
  readonly hostname: string
  readonly port: number
  /** The value of the header `host`. */
  readonly host: string
  /** The prefix of every path; empty for the service itself. */
  readonly prefix: string
}

/** Returns the endpoint. Throws when there is no region, or an address is invalid. */
export const endpointOf = (given: {
  readonly region?: string | undefined
  readonly endpoint?: string | undefined
}): Endpoint => {
  const { env } = process
  const region = given.region || env["AWS_REGION"] || env["AWS_DEFAULT_REGION"] || ""
  if (!/^[a-z\d]+(-[a-z\d]+)*$/i.test(region)) {
    throw new Error(
      `Expected a region of AWS, such as eu-west-1, in the environment variable AWS_REGION or the option region, found ${region === "" ? "none" : JSON.stringify(region)}.`
    )
  }
  const configured = env["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.toLowerCase() !== "true"
  const address =
    given.endpoint ||
    (configured && (env["AWS_ENDPOINT_URL_LAMBDA"] || env["AWS_ENDPOINT_URL"])) ||
    serviceAddress(region, env["AWS_USE_FIPS_ENDPOINT"] === "true", env["AWS_USE_DUALSTACK_ENDPOINT"] === "true")
  return { region, ...parsed(address) }
}

const parsed = (address: string): Omit<Endpoint, "region"> => {
  const url = URL.parse(address)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Error(
      `Expected the endpoint of Lambda to be an address that begins with https:// or http://, found ${JSON.stringify(address)}.`
    )
  }
  const secure = url.protocol === "https:"
  return {
    secure,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
    host: url.host,
    prefix: url.pathname.replace(/\/+$/, "").replace(/\/{2,}/g, "/")
  }
}

/** The prefixes of the regions of each partition, and its two domains. Other regions belong to the first partition, `aws`. */
const partitions: ReadonlyArray<readonly [prefix: string, domain: string, dualStackDomain: string]> = [
  ["", "amazonaws.com", "api.aws"],
  ["cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"],
  ["eusc-", "amazonaws.eu", "api.amazonwebservices.eu"],
  ["us-iso-", "c2s.ic.gov", "api.aws.ic.gov"],
  ["us-isob-", "sc2s.sgov.gov", "api.aws.scloud"],
  ["us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"],
  ["eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"]
]

const serviceAddress = (region: string, fips: boolean, dualStack: boolean): string => {
  const [, domain, dualStackDomain] = partitions.findLast(([prefix]) => region.startsWith(prefix)) ?? ["", "", ""]
  return `https://lambda${fips ? "-fips" : ""}.${region}.${dualStack ? dualStackDomain : domain}`
}
