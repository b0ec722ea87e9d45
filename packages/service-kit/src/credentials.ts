import { type ChannelCredentials, experimental, type ServerCredentials } from '@grpc/grpc-js';
import type { ReportAnomaly } from './anomaly.ts';
import { describeCertificate, serviceOf } from './caller-identity.ts';
import type { BaseConfig } from './config.ts';

const RENEWAL_CHECK_MS = 30_000;

/** Certificates are read again when their files change, so a renewal needs no restart. */
function provider(
  grpc: BaseConfig['grpc'],
): InstanceType<typeof experimental.FileWatcherCertificateProvider> {
  return new experimental.FileWatcherCertificateProvider({
    certificateFile: grpc.certFile,
    privateKeyFile: grpc.keyFile,
    caCertificateFile: grpc.caFile,
    refreshIntervalMs: grpc.renewalCheckMs ?? RENEWAL_CHECK_MS,
  });
}

/** mTLS: the handshake refuses a client without a certificate of our CA. */
export function serverCredentials(config: BaseConfig): ServerCredentials {
  const files = provider(config.grpc);
  return experimental.createCertificateProviderServerCredentials(files, files, true);
}

/** mTLS to `service`: the server's certificate must contain that service's URI SAN. */
export function channelCredentials(
  config: BaseConfig,
  service: string,
  report?: ReportAnomaly,
): ChannelCredentials {
  const files = provider(config.grpc);
  return experimental.createCertificateProviderChannelCredentials(files, files, {
    checkServerIdentity: (_host, certificate) => {
      if (serviceOf(certificate, config.environment) === service) return undefined;
      const { fingerprint, names } = describeCertificate(certificate);
      report?.({
        alert: 'internal_certificate_refused',
        subject: { type: 'certificate', id: fingerprint },
        details: { side: 'server', problem: 'NAMES_ANOTHER_SERVICE', expected: service, names },
      });
      return new Error(`The server's certificate does not name the service ${service}.`);
    },
  });
}
