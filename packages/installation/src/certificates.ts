import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import {
  ensureEdgeCertificate,
  ensureServiceCertificate,
  openCertificateAuthority,
} from '@claviger/identity';
import type { Layout } from './layout.ts';
import { type Environment, serviceNames } from './services.ts';

/** The host names of the gateway on this machine. */
function edgeHosts(): string[] {
  const own = hostname().toLowerCase();
  const usable = /^[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?$/.test(own) && own !== 'localhost';
  return ['localhost', ...(usable ? [own] : []), '127.0.0.1', '::1'];
}

/**
 * Issues certificates of two authorities, so that trust in the web address gives no trust between services: a
 * leaf for each service and for `operator` (the operator's commands), and the public certificate. Renews
 * those that are missing or past half of their lifetime, so repeated calls renew. Returns the renewed names.
 */
export async function ensureCertificates(layout: Layout, environment: Environment): Promise<string[]> {
  await mkdir(layout.pki, { recursive: true, mode: 0o711 });
  const internal = await openCertificateAuthority(layout.pki, 'internal-ca', 'Claviger internal CA');
  const edge = await openCertificateAuthority(layout.pki, 'ca', 'Claviger local CA');
  const renewed: string[] = [];
  for (const name of [...serviceNames, 'operator']) {
    if (await ensureServiceCertificate(internal, environment, name, layout.leaf(name))) renewed.push(name);
  }
  if (await ensureEdgeCertificate(edge, edgeHosts(), layout.edge)) renewed.push('edge');
  return renewed;
}
