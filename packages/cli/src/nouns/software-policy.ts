import type { Noun } from '../contract/noun.ts';
import { people, whenText } from '../contract/rule-view.ts';
import { CommandError, EXIT } from '../exit-codes.ts';

const conditions = {
  list: 'the list',
  matchSigner: '--signer <name>  who signed it, letter for letter',
  matchHash: '--hash <sha256>  SHA-256 of the program',
  matchPathGlob: '--path <pattern>  where it lies; * and ? stand for anything',
  siteId: 'only on this site, by name or id',
  enabled: '--state <on|off>  whether it counts',
};

export const noun: Noun = {
  about: 'known software, allowed or denied before any rule is asked',
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
      about: 'list what is known',
      example: 'software-policy list --list deny',
    },
    add: {
      call: 'CreateSoftwareEntry',
      about: 'put software on a list; all the conditions given must hold',
      example: 'software-policy add "Mozilla installers" --list allow --signer "Mozilla Corporation"',
      words: 'name',
      flags: { ...conditions, list: '--list <allow|deny>!  which' },
    },
    update: {
      call: 'UpdateSoftwareEntry',
      about: 'change what is given, by name or id',
      example: 'software-policy update "Mozilla installers" --no-signer --path "C:\\Mozilla\\*.exe"',
      words: 'id=entry',
      flags: conditions,
    },
    'co-sign': {
      call: 'CoSignSoftwareEntry',
      about: 'agree to an entry that another person wrote, as it is now',
      words: 'id=entry',
      prepare: async ({ listAll, tell }, { id }) => {
        const seen = (await listAll('ListSoftwareEntries', {})).find((entry) => entry.id === id);
        if (seen === undefined)
          throw new CommandError(
            'there is no such entry: `claviger software-policy list` shows them',
            EXIT.notFound,
          );
        tell(`${seen.name}: ${seen.list} when ${whenText(seen)}`);
        return { rowVersion: seen.rowVersion };
      },
    },
    delete: {
      call: 'DeleteSoftwareEntry',
      about: 'take it off the list',
      words: 'id=entry',
      alias: 'remove',
    },
  },
};
