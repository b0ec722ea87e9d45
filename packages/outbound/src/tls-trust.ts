import { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect,
  DEFAULT_CIPHERS,
  type PeerCertificate,
  type TLSSocket,
} from 'node:tls';
import { OutboundError } from './outbound-error.ts';

/**
 * How the target's certificate is verified. `system`: by the public CAs of Node.js. `ca`: by this CA only
 * (PEM). Both require the target's name in the certificate. `pinned`: it must be exactly this certificate
 * (PEM), with any name.
 */
export type TlsTrust =
  | { readonly mode: 'system' }
  | { readonly mode: 'ca'; readonly ca: string }
  | { readonly mode: 'pinned'; readonly certificate: string };

/**
 * Excludes finite-field Diffie-Hellman: the server chooses the group, and a large one takes much CPU time.
 */
const CIPHERS = `${DEFAULT_CIPHERS}:!kDHE`;

/** Returns the options of `tls.connect` for a target configured as `host` (a name or an IP address). */
export function tlsOptions(trust: TlsTrust, host: string): ConnectionOptions {
  const named: ConnectionOptions = {
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    ...(isIP(host) === 0 ? { servername: host } : {}),
  };
  if (trust.mode === 'pinned') {
    const expected = new X509Certificate(trust.certificate).fingerprint256;
    return {
      ...named,
      ca: trust.certificate,
      // The pinned certificate is the only trust anchor, even if a CA issued it.
      allowPartialTrustChain: true,
      checkServerIdentity: (_name: string, shown: PeerCertificate) =>
        shown.fingerprint256 === expected ? undefined : new Error('The server shows another certificate.'),
    };
  }
  return {
    ...named,
    ...(trust.mode === 'ca' ? { ca: trust.ca } : {}),
    checkServerIdentity: (_name, shown) => checkServerIdentity(host, shown),
  };
}

/** Whether an error of a TLS connection means that the other side could not prove its identity. */
export function isTrustFailure(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return (
    /CERT|TLS|SSL|ISSUER|SIGNATURE/.test(code) ||
    /certificate|\bSSL\b/.test(error instanceof Error ? error.message : '')
  );
}

/**
 * Starts TLS on a connected socket, and destroys the socket if that fails. Throws OutboundError (`untrusted`,
 * `unreachable`). The opener of the socket sets its time-outs.
 */
export function startTls(
  socket: Socket,
  host: string,
  trust: TlsTrust,
  extra: ConnectionOptions = {},
): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const secure = connect({ ...tlsOptions(trust, host), ...extra, socket });
  const settle = () => {
    secure.off('error', onError);
    secure.off('close', onClose);
    socket.off('error', onError);
  };
  const fail = (error: OutboundError) => {
    settle();
    // Ignore errors of the connection that is being destroyed.
    secure.on('error', () => {});
    socket.on('error', () => {});
    secure.destroy();
    socket.destroy();
    reject(error);
  };
  const onError = (error: Error) => fail(asTlsError(error));
  const onClose = () =>
    fail(new OutboundError('unreachable', 'The connection ended during the TLS handshake.'));
  secure.once('error', onError);
  secure.once('close', onClose);
  socket.once('error', onError);
  secure.once('secureConnect', () => {
    settle();
    resolve(secure);
  });
  return promise;
}

function asTlsError(error: Error): OutboundError {
  if (error instanceof OutboundError) return error;
  const code = 'code' in error ? String(error.code) : '';
  if (isTrustFailure(error))
    return new OutboundError('untrusted', `The target could not prove its identity (${code || 'TLS'}).`, {
      cause: error,
      hint: 'Compare the certificate of the target with the CA or certificate in the settings.',
    });
  return new OutboundError(
    'unreachable',
    `The connection broke during the TLS handshake (${code || 'closed'}).`,
    {
      cause: error,
    },
  );
}
