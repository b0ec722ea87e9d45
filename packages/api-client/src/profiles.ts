import { readConfigFile, writeConfigFile } from './config-folder.ts';
import { withFileLock } from './file-lock.ts';

/** Server, user and CA of a profile. Contains no secrets. */
export interface Profile {
  readonly server: string;
  /** Path of the CA (PEM) to trust; the system's authorities when absent. */
  readonly ca?: string;
  readonly tenant?: string;
  readonly username: string;
}

/** Tokens of a sign-in. They are sent only to the server that issued them. */
export interface Tokens {
  readonly server: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

const profilesFile = 'profiles.json';
const tokensFile = 'tokens.json';

type Named<T> = Record<string, T>;

export async function readProfile(name: string, env?: NodeJS.ProcessEnv): Promise<Profile | undefined> {
  const profiles = await readConfigFile<Named<Profile>>(profilesFile, {}, env);
  return Object.hasOwn(profiles, name) ? profiles[name] : undefined;
}

export async function readTokens(name: string, env?: NodeJS.ProcessEnv): Promise<Tokens | undefined> {
  const tokens = await readConfigFile<Named<Tokens>>(tokensFile, {}, env);
  return Object.hasOwn(tokens, name) ? tokens[name] : undefined;
}

/** Call it inside `withTokenLock`, because the file contains the tokens of all profiles. */
export async function writeTokens(
  name: string,
  tokens: Tokens | undefined,
  env?: NodeJS.ProcessEnv,
): Promise<void> {
  const all = new Map(Object.entries(await readConfigFile<Named<Tokens>>(tokensFile, {}, env)));
  if (tokens === undefined) all.delete(name);
  else all.set(name, tokens);
  await writeConfigFile(tokensFile, Object.fromEntries(all), env);
}

export async function writeProfile(name: string, profile: Profile, env?: NodeJS.ProcessEnv): Promise<void> {
  await withTokenLock(async () => {
    const all = new Map(Object.entries(await readConfigFile<Named<Profile>>(profilesFile, {}, env)));
    all.set(name, profile);
    await writeConfigFile(profilesFile, Object.fromEntries(all), env);
  }, env);
}

/** Serializes changes of tokens: using a refresh token twice ends the session. */
export function withTokenLock<T>(work: () => Promise<T>, env?: NodeJS.ProcessEnv): Promise<T> {
  return withFileLock('tokens.lock', work, env);
}
