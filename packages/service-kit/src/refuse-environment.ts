/** Throws where a variable of Node.js switches off what this process stands on. Call once, before anything connects. */
export function refuseEnvironment(env: NodeJS.ProcessEnv = process.env): void {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    throw new Error(
      'NODE_TLS_REJECT_UNAUTHORIZED=0 lets anybody pose as another server: unset it. ' +
        'An authority of your own goes into NODE_EXTRA_CA_CERTS, or into the CA of the target.',
    );
  }
}
