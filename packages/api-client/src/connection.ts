import { resolve } from 'node:path';
import { dataDirOf } from '@claviger/installation/host-settings';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import type { OutputFormat } from '@claviger/terminal/show';
import { readText } from '@claviger/terminal/text-input';
import { type Profile, readProfile } from './profiles.ts';

/** Options of every command that calls the REST API. */
export interface ConnectionOptions {
  readonly profile?: string;
  readonly server?: string;
  readonly ca?: string;
  readonly tenant?: string;
  readonly output?: OutputFormat;
  /** `--json`: the same as `-o json`. */
  readonly json?: boolean;
  readonly showCurl?: boolean;
}

/** Server, profile and tenant of a call. */
export interface Connection {
  readonly profileName: string;
  readonly profile: Profile | undefined;
  /** Origin, e.g. `https://localhost:7101`. */
  readonly server: string;
  readonly caFile: string | undefined;
  readonly ca: string | undefined;
  readonly tenant: string;
  /** CLAVIGER_TOKEN; takes precedence over the tokens of the profile. */
  readonly token: string | undefined;
}

const given = (text: string | undefined) => (text === undefined || text === '' ? undefined : text);

/**
 * Each setting comes from its option, otherwise from the environment, otherwise from the profile. The default
 * server is the installation on this machine. The CA of the profile is used only for the server of the
 * profile.
 */
export async function connectionOf(
  options: ConnectionOptions,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Connection> {
  const profileName = given(options.profile) ?? given(env.CLAVIGER_PROFILE) ?? 'default';
  const profile = await readProfile(profileName, env);
  const asked = given(options.server) ?? given(env.CLAVIGER_ADDR);
  const askedCa = given(options.ca) ?? given(env.CLAVIGER_CA);
  const caOf = async (server: string) =>
    askedCa === undefined && !sameServer(profile, server) ? localCa(server, env) : profile?.ca;
  const found =
    asked !== undefined
      ? { server: originOf(asked), ca: await caOf(asked) }
      : (profile ?? (await localServer(env)));
  const caFile = askedCa === undefined ? found.ca : resolve(askedCa);
  return {
    profileName,
    profile,
    server: found.server,
    caFile,
    ca: caFile === undefined ? undefined : await readCa(caFile),
    tenant: given(options.tenant) ?? given(env.CLAVIGER_TENANT) ?? profile?.tenant ?? '',
    token: tokenOf(given(env.CLAVIGER_TOKEN)),
  };
}

/** Throws a usage error for characters that no header can contain, such as the line end of a token file. */
function tokenOf(token: string | undefined): string | undefined {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token;
  throw new CommandError(
    'CLAVIGER_TOKEN holds a character that no token has, such as a line end or a byte order mark: set it to the token alone',
    EXIT.usage,
  );
}

/** Scheme, host and port. Throws a usage error if it is not an https address. */
function originOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol === 'https:' && url.username === '' && url.password === '') return url.origin;
  throw new CommandError(`"${address}" is not an address such as https://localhost:7101`, EXIT.usage);
}

const sameServer = (profile: Profile | undefined, address: string) => profile?.server === originOf(address);

/** Loaded on demand: most commands have a server, and start twice as fast without this module. */
async function runningHere(env: NodeJS.ProcessEnv) {
  const { findRunning } = await import('@claviger/installation');
  return findRunning(dataDirOf(env));
}

async function localServer(env: NodeJS.ProcessEnv): Promise<{ server: string; ca?: string }> {
  const running = await runningHere(env);
  if (running !== undefined) return { server: originOf(running.url), ca: running.caCertificate };
  throw new CommandError(
    'no server is known: start one here with `claviger up`, or name one with --server and --ca (CLAVIGER_ADDR, CLAVIGER_CA)',
    EXIT.usage,
  );
}

async function localCa(address: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const running = await runningHere(env);
  return running !== undefined && originOf(running.url) === originOf(address)
    ? running.caCertificate
    : undefined;
}

async function readCa(file: string): Promise<string> {
  const pem = await readText(file);
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  throw new CommandError(`${file} holds no certificate in PEM form`, EXIT.usage);
}
