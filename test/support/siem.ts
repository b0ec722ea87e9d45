import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type RsyslogTarget, selfSignedCertificate } from '@claviger/targets';
import { enrolSecondFactor, type TestTenant } from '@claviger/testkit';

/** Proves a second factor for the administrator of a tenant; changing settings requires a recent one. */
export async function ableToConfigure(tenant: TestTenant): Promise<void> {
  await enrolSecondFactor(tenant.admin.client);
}

export async function setSiemTargets(tenant: TestTenant, targets: readonly object[]): Promise<void> {
  await tenant.admin.client.must('PUT', '/api/v1/admin/config', { values: { siem: { targets } } });
}

/** The events of one tenant, in the order in which rsyslog received them. */
export async function arrivedAt(
  rsyslog: RsyslogTarget,
  tenantId: string,
): Promise<{ id: string; sequence: number | undefined }[]> {
  return (await rsyslog.records())
    .filter(({ structuredData }) => structuredData.includes(tenantId))
    .map(({ structuredData }) => {
      const sequence = /sequence="(\d+)"/.exec(structuredData)?.[1];
      return {
        id: /id="([^"]+)"/.exec(structuredData)![1]!,
        sequence: sequence === undefined ? undefined : Number(sequence),
      };
    });
}

/** An HTTPS server that accepts events, or gives a configured answer. */
export interface HttpsDestination extends Disposable {
  readonly url: string;
  readonly ca: string;
  status: number;
  readonly posts: { readonly headers: Readonly<Record<string, unknown>>; readonly body: string }[];
}

export async function startHttpsDestination(answer: string): Promise<HttpsDestination> {
  const { certificate, privateKey } = await selfSignedCertificate();
  const server = createServer({ cert: certificate, key: privateKey }, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    destination.posts.push({ headers: request.headers, body });
    response.writeHead(destination.status).end(answer);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const destination: HttpsDestination = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    ca: certificate,
    status: 200,
    posts: [],
    [Symbol.dispose]: () => void server.close(),
  };
  return destination;
}
