import type { Noun } from '../contract/noun.ts';

const grant = 'disclosure requires an active grant, also for holders of a share';
const reason = 'disclosure requires a reason';
const why = 'reason; read by auditors';
const secretFile = '--secret-file <file>  file with the secret (UTF-8; any bytes for the type file)';

export const noun: Noun = {
  about: 'the secrets in the vault',
  sample: 'app-login',
  services: ['EntriesService'],
  elsewhere: ['DeleteShare'],
  views: {
    Entry: {
      columns: [
        'ID  id; NAME  name; TYPE  type; RESOURCE  resourceName; USER  username; VERSION  currentVersion',
        'ROTATION  rotationState; ROTATED  lastRotatedAt',
      ],
      fields: [
        'entry  id; name  name; type  type; resource  resourceName|resourceId; user  username',
        'description  description; tags  tags; owner  ownerId; version  currentVersion',
        'rotation  rotationState',
        [
          'every',
          (row: { rotationIntervalHours: number }) =>
            row.rotationIntervalHours > 0 ? `${row.rotationIntervalHours} hours` : '',
        ],
        'next  nextRotationAt; rotated  lastRotatedAt; verified  lastVerifiedAt',
        'proven  unproven?no: verify it, or have an owner of the resource accept it:',
        [
          'needs',
          ({ requiresGrant, requiresReason }: { requiresGrant: boolean; requiresReason: boolean }) =>
            [requiresGrant && 'a grant', requiresReason && 'a reason'].filter(Boolean).join(' and '),
        ],
        'changed  updatedAt',
      ],
    },
    Rotation: {
      columns: [
        'ID  id; STATE  state; VERSION  version; TRIGGER  trigger; ATTEMPTS  attempts; ASKED  requestedAt',
        'ENDED  finishedAt; PROBLEM  problem; HINT  hint',
      ],
    },
    EntryVersion: {
      columns: ['VERSION  version; STATE  state; MADE  createdAt; BY  createdBy; SEEN BY  seenByCount'],
    },
  },
  verbs: {
    list: {
      call: 'ListEntries',
      about: 'list and search entries',
      example: 'entries list --search postgres',
    },
    show: { call: 'GetEntry', about: 'show an entry, without its secret' },
    create: {
      call: 'CreateEntry',
      about: 'store a secret: from a file, from standard input, or generated',
      example: 'entries create app-login --resource db-prod --username app --secret-file ./app.password',
      words: 'name',
      flags: {
        resourceId: 'resource of the account, by name or id',
        username: 'name of the account',
        secret: false,
        generate: 'let the vault generate a password',
        rotationIntervalHours: '--rotate-every <hours>  rotate automatically at this interval',
        requiresGrant: grant,
        requiresReason: reason,
      },
      options: [`${secretFile}; standard input when unset`],
      prepare: async ({ options }, { generate, type }) => {
        const { newSecret } = await import('../flows/entry-secret.ts');
        return newSecret(
          generate === true,
          String(type ?? 'password'),
          options.secretFile as string | undefined,
        );
      },
    },
    update: {
      call: 'UpdateEntry',
      about: 'change the given fields; a new secret becomes a new version',
      example: 'entries update app-login --description "billing" --requires-reason',
      flags: { secret: false, replaceTags: false, requiresGrant: grant, requiresReason: reason },
      options: [secretFile],
      prepare: async ({ options, invoke }, { entryId, tags }) => {
        const { secretOf } = await import('../flows/entry-secret.ts');
        const type = async () =>
          (await invoke<{ entry: { type: string } }>('GetEntry', { entryId })).entry.type;
        return {
          ...(tags === undefined ? {} : { replaceTags: true }),
          ...(options.secretFile === undefined
            ? {}
            : { secret: await secretOf(await type(), String(options.secretFile)) }),
        };
      },
    },
    delete: {
      call: 'DeleteEntry',
      about: 'delete an entry; its events remain in the audit log',
    },
    verify: {
      call: 'VerifyEntry',
      about: 'log in to the target with the current secret; success accepts an unproven account',
      told: '{outcome}{problem?: :}{problem}{hint?\n:}{hint}',
      quiet: true,
      exit: ({ outcome }: { outcome: string }) => (outcome === 'accepted' ? 0 : 1),
    },
    accept: {
      call: 'AcceptAccount',
      about: 'accept an unproven account as owner of its resource; you become its owner and its shares end',
      example: 'entries accept app-login --reason "ours"',
      flags: { reason: why },
    },
    schedule: {
      call: 'PutRotationSchedule',
      about: 'set or remove the rotation schedule of an entry',
      example: 'entries schedule app-login --every 720 --starting-at 2026-12-24T03:00:00Z',
      flags: {
        intervalHours: '--every <hours>  interval in hours',
        startsAt: '--starting-at <time>  first rotation; one interval from now when unset',
      },
      options: ['--never  remove the schedule'],
      needs: 'one of --every and --never',
      prepare: async ({ options }, { intervalHours }) => {
        const { oneOf } = await import('../contract/refuse.ts');
        oneOf({ '--every': intervalHours, '--never': options.never });
        return options.never === true ? { intervalHours: 0 } : {};
      },
    },
    retrieve: {
      call: 'RetrieveEntry',
      about:
        'disclose the secret to you, under a share or an active grant; the audit event is recorded first',
      example: 'entries retrieve app-login --reason "restore test" --output-file ./app.password',
      flags: {
        reason: why,
        ticket: 'ticket number or URL',
        version: '--entry-version <n>  version; the current one when unset',
      },
      secret: 'secret',
    },
    adopt: {
      call: 'AdoptEntry',
      about:
        'take over an entry whose owner has left; requires the owner of its resource or two administrators',
      example: 'entries adopt app-login --reason "its owner has left"',
      flags: { reason: `--reason <text>!  ${why}` },
      print: async ({ state, ownerId, expiresAt }: { state: string; ownerId: string; expiresAt: string }) => {
        const [{ tell }, { timeText }] = await Promise.all([
          import('@claviger/terminal/output'),
          import('../contract/cells.ts'),
        ]);
        if (state === 'adopted') tell(`adopted: its owner is ${ownerId}`);
        else tell(`proposed: another administrator can confirm it until ${timeText(expiresAt)}`);
      },
    },
    rotate: {
      call: 'RotateEntry',
      about: 'change the password on the target and in the vault',
      example: 'entries rotate app-login --wait',
      flags: { reason: why },
      options: ['--wait  wait until the rotation has ended', '--timeout <duration>=2m  maximum wait'],
      run: async (running, request, { views }) =>
        (await import('../flows/rotate-entry.ts')).rotateEntry(running, request, views!.Rotation!.columns!),
    },
    rotations: {
      call: 'ListRotations',
      about: 'list the rotations of an entry',
    },
    versions: {
      call: 'ListEntryVersions',
      about: 'list the versions of an entry, and how many actors have seen each',
    },
    share: {
      call: 'PutShare',
      about: 'give a user an access level on an entry, or remove it',
      example: 'entries share app-login bob --access view',
      flags: { access: '--access <view|modify|manage|none>!  access level' },
      told: 'shared: {share.access}',
      quiet: true,
      run: async ({ invoke }, { access, ...ids }) => {
        if (access !== 'none') return invoke('PutShare', { ...ids, access });
        await invoke('DeleteShare', ids);
        const { tell } = await import('@claviger/terminal/output');
        tell('share removed');
      },
    },
  },
};
