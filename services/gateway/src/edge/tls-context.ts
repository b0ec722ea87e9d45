import { readFileSync } from 'node:fs';
import type { Server } from 'node:https';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Logger } from '@claviger/service-kit';

const REFRESH_INTERVAL_MS = 30_000;

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** TLS 1.2 or later, with the present content of the certificate and key files. */
export function tlsOptions(files: TlsFiles): SecureContextOptions {
  return { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile), minVersion: 'TLSv1.2' };
}

/** Loads a renewed certificate without a restart. Returns a function that stops watching. */
export function watchTlsFiles(server: Server, files: TlsFiles, logger: Logger): () => void {
  let current = readFileSync(files.certFile, 'utf8');
  const timer = setInterval(() => {
    try {
      const next = readFileSync(files.certFile, 'utf8');
      if (next === current) return;
      const options = tlsOptions(files);
      // Throws while only one of the two files is renewed; the next check retries.
      createSecureContext(options);
      server.setSecureContext(options);
      current = next;
      logger.info('the renewed edge certificate is in use');
    } catch (error) {
      logger.warn({ err: error }, 'the edge certificate cannot be renewed yet');
    }
  }, REFRESH_INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}
