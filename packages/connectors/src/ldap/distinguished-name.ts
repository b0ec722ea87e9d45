const dnStart = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)=./;

/** Whether a text can be a distinguished name; only the server knows whether the name exists. */
export function isDn(text: string): boolean {
  return text.length <= 1024 && dnStart.test(text) && !/\p{Cc}/u.test(text);
}

/** Escapes a value inside a distinguished name (RFC 4514). */
export function escapeDnValue(value: string): string {
  return value.replace(/[\\,+"<>;=#]/g, (character) => `\\${character}`).replace(/^ | $/g, '\\ ');
}

/** Whether two distinguished names are spellings of the same name, by the rules of `comparableDn`. */
export function isSameDn(one: string, other: string): boolean {
  return comparableDn(one) === comparableDn(other);
}

/** Synonyms of the attributes that are usual in distinguished names (RFC 4514 3, RFC 4519). */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  commonname: 'cn',
  '2.5.4.3': 'cn',
  surname: 'sn',
  '2.5.4.4': 'sn',
  countryname: 'c',
  '2.5.4.6': 'c',
  localityname: 'l',
  '2.5.4.7': 'l',
  stateorprovincename: 'st',
  '2.5.4.8': 'st',
  streetaddress: 'street',
  '2.5.4.9': 'street',
  organizationname: 'o',
  '2.5.4.10': 'o',
  organizationalunitname: 'ou',
  '2.5.4.11': 'ou',
  userid: 'uid',
  '0.9.2342.19200300.100.1.1': 'uid',
  domaincomponent: 'dc',
  '0.9.2342.19200300.100.1.25': 'dc',
};

/**
 * Returns one text for all spellings of a distinguished name, which differ in case, blanks, escapes, the
 * order within a part, and attribute names.
 */
export function comparableDn(dn: string): string {
  return dn
    .replace(/=\s*#((?:[0-9a-fA-F]{2})+)(?=[\s,+]|$)/g, (_all, hex) => `=${ofBer(String(hex))}`)
    .replace(/((?:\\[0-9a-fA-F]{2})+)|\\(.)|([^\x00-\x7f]|[#<>;"])/gsu, (_all, pairs, escaped, wide) =>
      comparableText(
        pairs === undefined ? String(escaped ?? wide) : ofHex(String(pairs).replaceAll('\\', '')),
      ),
    )
    .toLowerCase()
    .split(',')
    .map((part) => part.split('+').map(comparablePart).sort().join('+'))
    .join(',');
}

function comparablePart(part: string): string {
  const [type = '', ...value] = part.split('=');
  const name = type.trim();
  return [ATTRIBUTES[name] ?? name, value.join('=').replace(/\s+/g, ' ').trim()].join('=');
}

/** Converts a value in the form `#04…` if it is a string. */
function ofBer(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  const isString = [0x04, 0x0c, 0x13, 0x16].includes(bytes[0] ?? 0) && bytes[1] === bytes.length - 2;
  return isString ? hex.slice(4).replace(/../g, '\\$&') : `#${hex}`;
}

const ofHex = (hex: string): string => Buffer.from(hex, 'hex').toString();

/** Keeps letters, digits and blanks, and escapes each byte of all other characters. */
function comparableText(text: string): string {
  const characters = [...text.normalize('NFKC').toLowerCase()];
  return characters
    .map((character) =>
      /[a-z0-9 ._-]/.test(character)
        ? character
        : Buffer.from(character).toString('hex').replace(/../g, '\\$&'),
    )
    .join('');
}
