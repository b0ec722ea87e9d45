import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import type { Noun } from '../contract/noun.ts';
import { people, whenText } from '../contract/rule-view.ts';

const flags = {
  matchSigner: '--signer <name>',
  matchHash: '--hash <sha256>',
  matchPathGlob: '--path <pattern>',
  enabled: '--state <on|off>',
};

export const noun: Noun = {
  about: 'known software, allowed or denied before any rule',
  sample: '"Mozilla installers"',
  services: ['SoftwarePolicyService'],
  id: 'software',
  views: {
    SoftwareEntry: {
      columns: ['LIST  list', 'NAME  name', ['WHEN', whenText], 'STATE  enabled?:off', 'ID  id'],
      fields: [
        'entry  id; name  name; list  list; state  enabled?on:off; signer  matchSigner; SHA-256  matchHash',
        'path  matchPathGlob; site  siteId',
        ['written by', ({ authors }: { authors: never[] }) => people(authors)],
        ['co-signed by', ({ coSigners }: { coSigners: never[] }) => people(coSigners)],
        'changed  updatedAt',
      ],
    },
  },
  verbs: {
    list: { call: 'ListSoftwareEntries' },
    add: {
      call: 'CreateSoftwareEntry',
      example: 'software-policy add "Mozilla installers" --list allow --signer "Mozilla Corporation"',
      words: 'name',
      flags,
    },
    update: {
      call: 'UpdateSoftwareEntry',
      example: 'software-policy update "Mozilla installers" --no-signer --path "C:\\Mozilla\\*.exe"',
      flags,
    },
    'co-sign': {
      call: 'CoSignSoftwareEntry',
      prepare: async ({ listAll, tell }, { id }) => {
        const seen = (await listAll('ListSoftwareEntries', {})).find((entry) => entry.id === id);
        if (seen === undefined)
          throw new CommandError(
            'there is no such entry: `claviger software-policy list` lists them',
            EXIT.notFound,
          );
        tell(`${seen.name}: ${seen.list} when ${whenText(seen)}`);
        return { rowVersion: seen.rowVersion };
      },
    },
    delete: { call: 'DeleteSoftwareEntry', alias: 'remove' },
  },
};
