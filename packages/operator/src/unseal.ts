import {
  makeShares,
  parseShare,
  type SealedService,
  type ShareText,
  ShareTextError,
} from '@claviger/sealing';
import { CommandError, EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { said, say, sayJson, table, tell } from '@claviger/terminal/output';
import { askHidden, readSecretLines } from '@claviger/terminal/secret-input';
import { connectSeals, type ReplicaSeal, type Seals } from './seals.ts';

export interface UnsealRequest {
  readonly configFile: string;
  readonly json: boolean;
}

/** The command `unseal --init`: creates root keys for empty databases and shows their shares once. */
export async function initialise(
  request: UnsealRequest & { threshold: number; shares: number },
): Promise<ExitCode> {
  return withSeals(request, async (seals) => {
    const services = await servicesToSetUp(seals);
    const texts = makeShares(services, request);
    // Shown before they take effect, so that a later failure cannot leave data under shares that nobody has.
    if (request.json) sayJson({ threshold: request.threshold, shares: texts });
    else {
      tell(
        `${request.shares} shares; any ${request.threshold} of them unseal. They are shown once: give each to another person, and keep none here.`,
      );
      for (const text of texts) say(text);
    }
    await said();
    let found: ReplicaSeal[] = [];
    for (const text of texts.slice(0, request.threshold)) found = await submit(seals, parseShare(text), true);
    return report(found, { ...request, json: false });
  });
}

/**
 * The command `unseal`: submits shares one at a time, from standard input (one on each line) or the terminal.
 */
export async function unseal(request: UnsealRequest & { initialise: boolean }): Promise<ExitCode> {
  return withSeals(request, async (seals) => {
    let found = await seals.look();
    if (!found.some(({ seal }) => seal?.provider === 'shamir')) return report(await reopened(seals), request);
    if (found.some(isOtherwiseSealed)) found = await reopened(seals);
    if (process.stdin.isTTY) {
      while (found.some(waitsForShares)) {
        tell(progress(found));
        const text = await askHidden('Share: ', '');
        if (text.trim() === '') break;
        try {
          found = await submit(seals, parseShare(text), request.initialise);
        } catch (error) {
          // A typing error affects only this share.
          if (!(error instanceof ShareTextError)) throw error;
          tell(`${error.message}: nothing was given`);
        }
      }
    } else {
      const lines = (await readSecretLines(undefined)).filter((line) => line.trim() !== '');
      if (lines.length === 0 && found.some(waitsForShares))
        tell(
          'standard input holds no share: give one a line, or type them at a terminal; the first ones are made with --init',
        );
      for (const line of lines) found = await submit(seals, parsed(line), request.initialise);
    }
    return report(found, request);
  });
}

/** The command `unseal --cancel`: discards the shares submitted so far. */
export async function cancelUnseal(request: UnsealRequest): Promise<ExitCode> {
  return withSeals(request, async (seals) => {
    await seals.look();
    return report(await seals.discard(), request, () => true);
  });
}

/** The command `seal`: drops all keys from the memory of every replica. */
export async function sealAll(request: UnsealRequest): Promise<ExitCode> {
  return withSeals(request, async (seals) => {
    await seals.look();
    return report(await seals.seal(), request, ({ seal }) => seal?.state === 'sealed');
  });
}

async function withSeals<T>(request: UnsealRequest, use: (seals: Seals) => Promise<T>): Promise<T> {
  const seals = connectSeals(request.configFile);
  try {
    return await use(seals);
  } finally {
    seals.close();
  }
}

const waitsForShares = ({ seal }: ReplicaSeal) => seal?.provider === 'shamir' && seal.state === 'sealed';
const isOtherwiseSealed = ({ seal }: ReplicaSeal) =>
  seal !== undefined && seal.provider !== 'shamir' && seal.state !== 'open';

async function reopened(seals: Seals): Promise<ReplicaSeal[]> {
  await seals.reopen();
  return seals.look();
}

/** Services that use shares, if all their replicas answer and have an empty database. */
async function servicesToSetUp(seals: Seals): Promise<SealedService[]> {
  const found = (await seals.look()).filter(({ seal }) => seal === undefined || seal.provider === 'shamir');
  const services = [...new Set(found.map(({ service }) => service))];
  if (services.length === 0)
    throw new CommandError(
      'no service has rootKey.provider "shamir": there is nothing to make shares for',
      EXIT.usage,
    );
  const away = found.find(({ seal }) => seal === undefined);
  if (away) throw new CommandError(`${away.service} at ${away.address} does not answer: ${away.problem}`);
  const used = found.find(({ seal }) => seal?.initialised);
  if (used)
    throw new CommandError(
      `${used.seal!.node} has a root key already: give its shares with \`claviger unseal\` (with --init --from-shares where another service has none yet)`,
      EXIT.conflict,
    );
  return services;
}

function parsed(line: string): ShareText {
  try {
    return parseShare(line);
  } catch (error) {
    if (error instanceof ShareTextError) throw new CommandError(error.message, EXIT.usage);
    throw error;
  }
}

/** Sends the share to each replica; a refusal of one does not stop the others. */
async function submit(seals: Seals, share: ShareText, initialise: boolean): Promise<ReplicaSeal[]> {
  const found = await seals.submit(share, { initialise });
  for (const { service, address, problem } of found)
    if (problem) tell(`${service} at ${address}: ${problem}`);
  return found;
}

function progress(found: readonly ReplicaSeal[]): string {
  const waiting = found.filter(waitsForShares).map(({ seal }) => {
    const { node, sharesGiven, sharesNeeded } = seal!;
    return `${node} ${sharesNeeded === 0 ? 'no share yet' : `${sharesGiven} of ${sharesNeeded} shares`}`;
  });
  return `sealed: ${waiting.join(', ')}`;
}

function report(
  found: readonly ReplicaSeal[],
  { json }: UnsealRequest,
  isDone: (replica: ReplicaSeal) => boolean = ({ seal }) => seal?.state === 'open',
): ExitCode {
  if (json)
    sayJson({
      replicas: found.map(({ seal, service, address, problem, code }) => ({
        service,
        address,
        problem,
        code,
        ...seal,
      })),
    });
  else
    tell(
      table([
        ['NODE', 'SEAL', 'SHARES', 'ROOT KEY', 'PROBLEM'],
        ...found.map(({ seal, service, address, problem }) => [
          seal?.node ?? `${service} at ${address}`,
          seal?.state ?? 'no answer',
          seal && seal.sharesNeeded > 0 ? `${seal.sharesGiven} of ${seal.sharesNeeded}` : '',
          seal?.keyId || seal?.provider || '',
          problem ?? seal?.problem ?? '',
        ]),
      ]),
    );
  if (found.every(isDone)) return EXIT.ok;
  return found.some(({ seal }) => seal?.state === 'sealed') ? EXIT.sealed : EXIT.error;
}
