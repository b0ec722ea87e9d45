import type { Http2SecureServer } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Server } from '@grpc/grpc-js';
import type { ReportAnomaly } from './anomaly.ts';

/** The peer sent no certificate. */
const NO_CERTIFICATE = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';

/**
 * Reports peers whose certificate fails the handshake: another CA, expired, or none. A connection without a
 * handshake is not reported. gRPC has no event for this, so this listens on its HTTP/2 servers; call it after
 * binding.
 */
export function reportRefusedHandshakes(server: Server, report: ReportAnomaly): void {
  const { http2Servers } = server as unknown as { http2Servers?: ReadonlyMap<Http2SecureServer, unknown> };
  if (!http2Servers || http2Servers.size === 0)
    throw new Error('This version of @grpc/grpc-js keeps its HTTP/2 servers elsewhere.');
  for (const http2 of http2Servers.keys()) {
    // The address is no longer available once the connection was refused.
    const addresses = new WeakMap<object, string>();
    http2.on('connection', (socket: Socket) => {
      if (socket.remoteAddress) addresses.set(socket, socket.remoteAddress);
    });
    http2.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket & { _parent?: object }) => {
      // The code of the verification error; the type declares an Error.
      const refused = socket.authorizationError as unknown as string | null;
      const problem = refused ?? (error.code === NO_CERTIFICATE ? 'NO_CERTIFICATE' : undefined);
      if (!problem) return;
      const address = (socket._parent && addresses.get(socket._parent)) ?? socket.remoteAddress ?? 'unknown';
      report({
        alert: 'internal_certificate_refused',
        subject: { type: 'address', id: address },
        details: { side: 'client', problem },
      });
    });
  }
}
