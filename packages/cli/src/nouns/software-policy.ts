import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import type { Noun } from '../contract/noun.ts';
import { people, whenText } from '../contract/rule-view.ts';

const conditions = {
  list: 'allow or deny',
  matchSigner: '--signer <name>  signer of the program, exact match',
  matchHash: '--hash <sha256>  SHA-256 of the program',
  matchPathGlob: '--path <pattern>  path of the program; with wildcards * and ?',
  siteId: 'only at this site, by name or id',
  enabled: '--state <on|off>  whether the entry applies',
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
    list: {
      call: 'ListSoftwareEntries',
      about: 'list known software',
      example: 'software-policy list --list deny',
    },
    add: {
      call: 'CreateSoftwareEntry',
      about: 'add software to a list; all given conditions must match',
      example: 'software-policy add "Mozilla installers" --list allow --signer "Mozilla Corporation"',
      words: 'name',
      flags: { ...conditions, list: '--list <allow|deny>!  list to add it to' },
    },
    update: {
      call: 'UpdateSoftwareEntry',
      about: 'change the given fields of an entry, by name or id',
      example: 'software-policy update "Mozilla installers" --no-signer --path "C:\\Mozilla\\*.exe"',
      words: 'id=entry',
      flags: conditions,
    },
    'co-sign': {
      call: 'CoSignSoftwareEntry',
      about: 'co-sign the current state of an entry that another person wrote',
      words: 'id=entry',
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
    delete: {
      call: 'DeleteSoftwareEntry',
      about: 'remove an entry from its list',
      words: 'id=entry',
      alias: 'remove',
    },
  },
};
