import type { Noun } from '../contract/noun.ts';

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
    create: {
      call: 'CreateEntry',
      example: 'entries create app-login --resource db-prod --username app --secret-file ./app.password',
      flags: { secret: false, rotationIntervalHours: '--rotate-every <hours>' },
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
      example: 'entries update app-login --description "billing" --requires-reason',
      flags: { secret: false },
      options: [secretFile],
      prepare: async ({ options, invoke }, { entryId }) => {
        if (options.secretFile === undefined) return {};
        const { entry } = await invoke<{ entry: { type: string } }>('GetEntry', { entryId });
        const { secretOf } = await import('../flows/entry-secret.ts');
        return { secret: await secretOf(entry.type, String(options.secretFile)) };
      },
    },
    verify: {
      call: 'VerifyEntry',
      told: '{outcome}{problem?: :}{problem}{hint?\n:}{hint}',
      quiet: true,
      exit: ({ outcome }: { outcome: string }) => (outcome === 'accepted' ? 0 : 1),
    },
    accept: { call: 'AcceptAccount' },
    schedule: {
      call: 'PutRotationSchedule',
      example: 'entries schedule app-login --every 720 --starting-at 2026-12-24T03:00:00Z',
      flags: {
        intervalHours: '--every <hours>  hours between automatic rotations',
        startsAt: '--starting-at <time>',
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
      example: 'entries retrieve app-login --reason "restore test" --output-file ./app.password',
      flags: { version: '--entry-version <n>' },
      secret: 'secret',
    },
    adopt: {
      call: 'AdoptEntry',
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
      example: 'entries rotate app-login --wait',
      options: ['--wait  wait until the rotation has ended', '--timeout <duration>=2m  maximum wait'],
      run: async (running, request, { views }) =>
        (await import('../flows/rotate-entry.ts')).rotateEntry(running, request, views!.Rotation!.columns!),
    },
    share: {
      call: 'PutShare',
      example: 'entries share app-login bob --access view',
      flags: { access: '--access <view|modify|manage|none>!' },
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
