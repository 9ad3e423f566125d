/** The version of this package, which clients send to the service. A test keeps it equal to the one in package.json. */
export const version = "0.1.0"
