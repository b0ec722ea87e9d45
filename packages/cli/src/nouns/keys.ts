import type { Noun, Verb } from '../contract/noun.ts';

const job = (verb: string, call: string): Verb => ({
  call,
  example: `keys ${verb} --reason "quarterly" --wait`,
  options: ['--wait  show the progress until the job is done'],
  run: async (running, request, { views }) =>
    (await import('../flows/key-job.ts')).startKeyJob(call, running, request, views?.KeyJob?.columns),
});

export const noun: Noun = {
  about: 'the keys that protect the secrets of your tenant',
  services: ['EncryptionService'],
  views: {
    GetEncryptionStatusResponse: {
      fields: [
        'root key  {rootKey.state} {rootKey.provider} {rootKey.keyId}; data keys  contentKeys',
        'unrecoverable  unrecoverable',
      ],
    },
    KeyEncryptionKey: {
      columns: [
        'VERSION  version; STATE  state; AGE  {ageDays} d; WRAPS  wraps; DATA KEYS  contentKeys',
        'ROTATED BEFORE  rotateBefore; ID  id',
      ],
    },
    KeyJob: {
      columns: [
        'ID  id; KIND  kind; STATE  state; PROGRESS  {progressPercent} %; REWRAPPED  rewrapped',
        'UNRECOVERABLE  unrecoverable; ASKED  createdAt; BY  requestedByName; PROBLEM  problem',
      ],
    },
    KeyFinding: {
      columns: ['ENTRY  entryName; VERSION  version; OUTCOME  outcome; PROBLEM  problem; ENTRY ID  entryId'],
    },
  },
  verbs: {
    status: {
      call: 'GetEncryptionStatus',
      table: 'keys',
      after: '{advice}',
    },
    rotate: job('rotate', 'RotateKek'),
    repair: job('repair', 'RepairKeys'),
    jobs: { call: 'ListKeyJobs' },
    findings: { call: 'ListKeyFindings' },
  },
};
