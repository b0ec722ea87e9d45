import { randomBytes } from 'node:crypto';
import { ensureTools } from '@claviger/backing-servers';
import * as auth from '@claviger/contracts/auth/v1/auth';
import { CommandError, EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { say, tell } from '@claviger/terminal/output';
import { accessStory, type Cast } from './access-story.ts';
import { auditStory } from './audit-story.ts';
import { privateInstallation, runningInstallation } from './demo-server.ts';
import { type DemoTarget, postgresTarget, sshTarget } from './demo-target.ts';
import { deviceStory, elevationsEnd } from './device-story.ts';
import { createNarrator, DemoFailure, type Narrator } from './narrator.ts';
import { type DemoServer, signIn } from './person.ts';
import { storeAccount } from './store-account.ts';

export interface DemoOptions {
  readonly here?: boolean;
  /** False with --without-ssh. */
  readonly ssh: boolean;
}

const newPassword = () => randomBytes(18).toString('base64url');

/** The command `demo`: exit code 0 only if every step had the promised result. Always cleans up. */
export async function runDemo(options: DemoOptions): Promise<ExitCode> {
  if (options.ssh && process.getuid?.() !== 0) {
    throw new CommandError(
      'the Linux account behind sshd needs root: run this as root or with sudo, or without it: claviger demo --without-ssh',
    );
  }
  await ensureTools(['postgres', 'redis', 'nats', ...(options.ssh ? (['sshd'] as const) : [])], tell);
  const narrator = createNarrator();
  // Over: completed or interrupted. After a failure the logs are kept.
  const outcome = { isOver: false };
  const interrupted = Promise.withResolvers<never>();
  const stop = (signal: NodeJS.Signals) => {
    outcome.isOver = true;
    interrupted.reject(new CommandError(`interrupted by ${signal}: nothing is left behind`));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
  const cleanUp = new AsyncDisposableStack();
  const played = play(narrator, options, cleanUp, outcome);
  try {
    await Promise.race([played, interrupted.promise]);
    say('\nEvery step had the promised result. Next: docs/first-five-minutes.md');
    return EXIT.ok;
  } finally {
    await cleanUp.disposeAsync();
    // After an interruption the next step fails; what is being started is stopped by then.
    await played.catch(() => {});
  }
}

/** Registers what was started for the clean-up; stops it at once if the clean-up is over. */
async function hold<T extends AsyncDisposable>(cleanUp: AsyncDisposableStack, started: T): Promise<T> {
  if (!cleanUp.disposed) return cleanUp.use(started);
  await started[Symbol.asyncDispose]();
  throw new DemoFailure('interrupted');
}

async function play(
  narrator: Narrator,
  options: DemoOptions,
  cleanUp: AsyncDisposableStack,
  outcome: { isOver: boolean },
): Promise<void> {
  narrator.chapter(
    options.here ? 'The installation that runs here' : 'An installation of its own, in a temporary folder',
  );
  const installation = options.here
    ? await runningInstallation()
    : await privateInstallation((line) => narrator.note(line));
  await hold(cleanUp, {
    async [Symbol.asyncDispose]() {
      await installation.close(outcome.isOver);
      if (!outcome.isOver) tell(`the logs are kept in ${installation.logs}`);
    },
  });
  narrator.shows(`${installation.server.url} is ready`);

  narrator.chapter('Real systems with real accounts');
  const targets = [await hold(cleanUp, await postgresTarget(newPassword()))];
  if (options.ssh) targets.push(await hold(cleanUp, await sshTarget()));
  for (const { title, resource } of targets) {
    const address = `${resource.host}:${resource.port}`;
    narrator.does('operator', `claviger up --open-target ${address}`);
    await installation.openTarget(address);
    narrator.shows(title);
  }
  if (!options.ssh) narrator.note('without the Linux account behind sshd, because of --without-ssh');

  narrator.chapter('The people');
  const cast = await gather(narrator, installation, cleanUp);

  narrator.chapter('A device asks: a rule decides one prompt, a person the other');
  const elevated = await deviceStory(narrator, cast, installation.server, (device) => hold(cleanUp, device));

  const suffix = options.here ? `-${randomBytes(3).toString('hex')}` : '';
  const receipts = [];
  for (const target of targets) {
    narrator.chapter(`${titleOf(target)}: keep, ask, approve, receive once, rotate`);
    const stored = await storeAccount(narrator, cast.admin, target, suffix);
    receipts.push(await accessStory(narrator, cast, target, stored));
  }

  narrator.chapter('What the device was allowed ends by itself');
  await elevationsEnd(narrator, cast, elevated);

  narrator.chapter('The proof');
  await auditStory(narrator, cast.carol, receipts);
  outcome.isOver = true;
}

const titleOf = ({ name }: DemoTarget) => (name === 'ssh' ? 'Linux account' : 'PostgreSQL role');

interface Place {
  readonly server: DemoServer;
  readonly administrator: { readonly username: string; readonly password: string };
}

/**
 * Creates requester, approver and auditor; each signs in and chooses a password of their own. Passwords live
 * in memory only.
 */
async function gather(
  narrator: Narrator,
  { server, administrator }: Place,
  cleanUp: AsyncDisposableStack,
): Promise<Cast> {
  const admin = await hold(cleanUp, await signIn(server, administrator.username, administrator.password));
  const join = async (username: string, roles: string[]) => {
    const first = newPassword();
    narrator.does(
      admin.name,
      `claviger users create ${username} ${roles.map((role) => `--role ${role}`).join(' ')} --password-stdin`,
    );
    await admin.api.call(auth.UsersService.createUser, { username, password: first, roles });
    const person = await hold(cleanUp, await signIn(server, username, first));
    narrator.does(username, 'claviger password');
    await person.api.call(auth.AuthService.changeMyPassword, {
      currentPassword: first,
      newPassword: newPassword(),
    });
    return person;
  };
  const alice = await join('alice', ['requester', 'approver']);
  const bob = await join('bob', ['approver']);
  const carol = await join('carol', ['auditor']);
  narrator.shows('everybody is signed in over the public API');
  return { admin, alice, bob, carol };
}
