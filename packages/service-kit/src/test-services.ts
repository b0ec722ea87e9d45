import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as audit from '@claviger/contracts/audit/v1/audit';
import * as vault from '@claviger/contracts/vault/v1/vault';
import {
  type CertificateAuthority,
  issueServiceCertificate,
  openCertificateAuthority,
  writeAtomically,
} from '@claviger/identity';
import type { Actor } from './actor.ts';
import { createActorVerifier, signActorToken } from './actor-token.ts';
import type { Anomaly } from './anomaly.ts';
import type { RecordOutcome } from './audit-trail.ts';
import { createPeers, type Peers } from './client.ts';
import type { BaseConfig } from './config.ts';
import { createLogger } from './logger.ts';
import { createRpcServer, type RpcServer } from './server.ts';

/** Certificates, keys and real servers with handlers of the test. */
export interface TestServices extends AsyncDisposable {
  readonly authority: CertificateAuthority;
  readonly strangers: CertificateAuthority;
  readonly actorKey: KeyObject;
  /** Anomalies reported by the servers here and by the callers of `callerOf`. */
  readonly anomalies: Anomaly[];
  readonly outcomes: { method: string; outcome: string; reason: string; tenantId: string | undefined }[];
  /** Configuration of one service with a certificate of `authority`. */
  configOf(service: string, authority?: CertificateAuthority): Promise<BaseConfig>;
  /** Serves EntriesService, EntitlementsService and AuditService. A method without a handler fails. */
  serve(handlers: Record<string, unknown>, service?: string): Promise<{ server: RpcServer; port: number }>;
  /** Clients that call as `service` to one or several addresses, or ports of 127.0.0.1. */
  callerOf(service: string, peers: (number | string)[], authority?: CertificateAuthority): Promise<Peers>;
  token(changes?: Partial<Actor>, audiences?: string[], key?: KeyObject): Promise<string>;
}

export const TENANT = '11111111-1111-4111-8111-111111111111';

export async function startTestServices(): Promise<TestServices> {
  const folder = await mkdtemp(join(tmpdir(), 'claviger-kit-'));
  const authority = await openCertificateAuthority(join(folder, 'ca'), 'ca', 'Claviger test');
  const strangers = await openCertificateAuthority(join(folder, 'strangers'), 'ca', 'Strangers');
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const outcomes: TestServices['outcomes'] = [];
  const anomalies: Anomaly[] = [];
  const reportAnomaly = (anomaly: Anomaly): void => void anomalies.push(anomaly);
  const peers: Peers[] = [];
  const servers: RpcServer[] = [];
  const recordOutcome: RecordOutcome = async (context, { outcome, reason }) => {
    outcomes.push({
      method: context.method.name,
      outcome,
      reason,
      tenantId: context.hasTenant ? context.tenantId : context.auditTenantId,
    });
  };
  const configOf = async (service: string, by = authority): Promise<BaseConfig> => {
    const name = join(folder, `${service}-${randomUUID()}`);
    const files = { certFile: `${name}.crt`, keyFile: `${name}.key`, caFile: `${name}.ca` };
    const leaf = await issueServiceCertificate(by, 'test', service);
    await writeAtomically(files.certFile, leaf.certificatePem);
    await writeAtomically(files.keyFile, leaf.privateKeyPem);
    await writeAtomically(files.caFile, authority.certificatePem);
    return {
      environment: 'test',
      node: `${service}-1`,
      logLevel: 'error',
      grpc: { listen: '127.0.0.1:0', ...files, renewalCheckMs: 100 },
      health: { listen: '127.0.0.1:0' },
      peers: {},
      redis: { host: 'none', port: 1, passwordFile: 'none' },
      nats: { url: 'none', user: 'none', passwordFile: 'none' },
      telemetry: {},
    };
  };
  return {
    authority,
    strangers,
    actorKey: privateKey,
    outcomes,
    anomalies,
    configOf,
    serve: async (handlers, service = 'vault') => {
      const server = createRpcServer({
        config: await configOf(service),
        logger: createLogger({ service, node: `${service}-1`, level: 'silent' }),
        verifyActor: createActorVerifier({
          publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
          audience: service,
        }),
        recordOutcome,
        reportAnomaly,
      });
      for (const definition of [vault.EntriesService, vault.EntitlementsService, audit.AuditService]) {
        const all = Object.keys(definition).map((name) => [name, handlers[name] ?? unexpected(name)]);
        server.add(definition as never, Object.fromEntries(all) as never);
      }
      servers.push(server);
      return { server, port: await server.listen() };
    },
    callerOf: async (service, at, by) => {
      const addresses = at.map((each) => (typeof each === 'number' ? `127.0.0.1:${each}` : each));
      const config = { ...(await configOf(service, by)), peers: { vault: addresses, audit: addresses } };
      const made = createPeers(config, reportAnomaly);
      peers.push(made);
      return made;
    },
    token: async (changes = {}, audiences = ['vault'], key = privateKey) => {
      const actor: Actor = {
        userId: randomUUID(),
        userName: 'alice',
        tenantId: TENANT,
        sessionId: randomUUID(),
        kind: 'user',
        permissions: new Set(['*']),
        roles: [],
        mfaPending: false,
        platform: false,
        mfaAt: Math.floor(Date.now() / 1000),
        ...changes,
      };
      return (await signActorToken(actor, audiences, key)).token;
    },
    [Symbol.asyncDispose]: async () => {
      for (const each of peers) each.close();
      await Promise.all(servers.map((server) => server.drain(200)));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function unexpected(name: string) {
  return async () => {
    throw new Error(`${name} was not expected`);
  };
}
