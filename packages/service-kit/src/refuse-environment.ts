/** Throws when a Node.js variable disables TLS verification. Call it once, before anything connects. */
export function refuseEnvironment(env: NodeJS.ProcessEnv = process.env): void {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    throw new Error(
      'NODE_TLS_REJECT_UNAUTHORIZED=0 disables the verification of servers: unset it. ' +
        'Put your own CA into NODE_EXTRA_CA_CERTS, or into the CA of the target.',
    );
  }
}
