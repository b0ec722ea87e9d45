import { expect, test } from 'vitest';
import { matches, type SourceFile, sourceFiles } from './source-files.ts';

const files = sourceFiles();
const source = files.filter((file) => !file.forTests);
const tests = files.filter((file) => file.path.endsWith('.test.ts'));

function nowhere(
  searched: readonly SourceFile[],
  pattern: RegExp,
  fix: string,
  except: readonly string[] = [],
): void {
  const found = searched
    .filter((file) => !except.some((path) => file.path.startsWith(path)))
    .flatMap((file) => matches(file, pattern));
  expect(found, found.length > 0 ? `${fix}\n${found.join('\n')}` : '').toEqual([]);
}

test('decryption states the length of the tag: without it, tags of four bytes are accepted', () => {
  const calls = source.flatMap((file) =>
    [...file.code.matchAll(/createDecipheriv\(/g)].map((match) => ({
      file,
      call: argumentsAt(file.code, match.index),
    })),
  );
  expect(calls.filter(({ call }) => !/authTagLength/.test(call)).map(({ file }) => file.path)).toEqual([]);
});

/** The text of a call, from its name to the closing parenthesis. */
function argumentsAt(code: string, start: number): string {
  let depth = 0;
  for (let at = code.indexOf('(', start); at < code.length; at += 1) {
    if (code[at] === '(') depth += 1;
    if (code[at] === ')') depth -= 1;
    if (depth === 0) return code.slice(start, at);
  }
  return code.slice(start);
}

test('randomness comes from node:crypto, except the jitter of a pause', () => {
  const found = source.flatMap((file) =>
    matches(file, /Math\.random/g).filter((at) => !saysWhy(file, at, 'itter')),
  );
  expect(found, `Use randomInt, randomBytes or randomUUID of node:crypto.\n${found.join('\n')}`).toEqual([]);
});

test('no regular expression is made from external input', () => {
  // Interpolated names in capitals are constants of the source.
  nowhere(
    source,
    /new RegExp\((?!`(?:[^`$]|\$(?!\{)|\$\{[A-Z_]+\})*`)/g,
    'A pattern from outside can take for ever: match by hand, or build it from constants in CAPITALS.',
    [
      // Only patterns and paths of the contract, which its tests compile and try.
      'packages/contracts/src/compiled-pattern.ts',
      'services/gateway/src/routes/allowed-methods.ts',
      // Matches its own comment on a test machine.
      'packages/targets/src/ssh/accounts.ts',
    ],
  );
});

test('a list in a statement is one parameter: its length does not change the text', () => {
  // Allowed: a list of literals, a subquery, and a function that returns one.
  nowhere(
    files,
    /'(?:not )?in',(?!\s*(?:\[(?:\s*(?:'[^']*'|\d+),?)+\s*\]|\(?\w+\)? =>|[\w.]+\s*\.select))/g,
    "Write where('id', '=', anyOf(ids, 'uuid')): every length of a list would be a statement of its own, prepared on each connection.",
  );
});

test('TLS always verifies certificates', () => {
  nowhere(
    files.filter((file) => !file.path.startsWith('test/guards/')),
    /rejectUnauthorized:\s*false|NODE_TLS_REJECT_UNAUTHORIZED|strictSSL:\s*false|insecure:\s*true/g,
    'Trust the authority that signed: pass its certificate as ca.',
    // These files refuse to run with it.
    [
      'packages/cli/src/run-command.ts',
      'packages/operator/src/operator-commands.test.ts',
      'packages/service-kit/src/refuse-environment.ts',
      'services/workflow/src/service.test.ts',
    ],
  );
  nowhere(source, /createInsecure\(/g, 'Services talk by mTLS: serverCredentials and channelCredentials.');
});

test('only packages/outbound connects to addresses that a user named', () => {
  // Sockets, datagrams, requests and resolvers. Own servers and names of types are not connections.
  const opens =
    /\bimport\s*\{[^}]*\b(?:connect|createConnection|request|get|createSocket|lookup|resolve\w*)\b[^}]*\}\s*from\s*['"]node:(?:net|tls|https?|http2|dgram|dns(?:\/promises)?)['"]|(?<![.\w])fetch\(|from\s*['"](?:undici|axios|got|ws)['"]/g;
  nowhere(
    source,
    opens,
    'Use openSocket, startTls, createOutboundClient or resolveTarget of @claviger/outbound.',
    [
      'packages/outbound/',
      // Sends to addresses that resolveTarget has checked.
      'packages/siem/src/send-over-udp.ts',
      // Addresses from the configuration and command line of the operator.
      'packages/api-client/src/api-client.ts',
      'packages/operator/',
      'packages/installation/',
      'packages/keyring/src/aws-kms/',
      'packages/backing-servers/',
      'packages/service-kit/',
      // Code for the browser.
      'services/gateway/src/pages/',
      // Only tests start these.
      'packages/targets/',
      'packages/testkit/',
    ],
  );
  // Libraries with their own sockets must get one that @claviger/outbound opened.
  nowhere(
    source.filter(
      (file) => file.path.startsWith('packages/connectors/') || file.path.startsWith('services/'),
    ),
    /from\s*['"](?:pg|@claviger\/postgres-client|mysql2|mysql2\/promise|ldapts|ssh2)['"]/g,
    'Give the library a socket of openSocket.',
    [
      'packages/connectors/src/postgres/',
      'packages/connectors/src/mysql/',
      'packages/connectors/src/ldap/',
      'packages/connectors/src/ssh/',
    ],
  );
});

test('connections to PostgreSQL take nothing from the environment', () => {
  // Imports after types are stripped.
  nowhere(
    source,
    /import\s+(?:\w+|\*\s*as\s+\w+|\{[^}]*\b(?:Client|Pool|native)\b[^}]*\})\s*from\s*['"]pg['"]/g,
    'Use Client and Pool of @claviger/postgres-client.',
    // Sets the parser of numbers for all connections.
    ['packages/postgres-client/', 'packages/database/src/database.ts'],
  );
});

test('no secret is compared byte by byte', () => {
  nowhere(
    source,
    /\b(mac|tag|digest|hash|token|secret|code)\w*\s*===?\s*\w*(mac|tag|digest|hash|token|secret)\b\w*(?!\s*\.length)/gi,
    'Use timingSafeEqual after comparing the lengths.',
  );
});

test('no broken algorithm is used', () => {
  nowhere(
    source,
    /createHash\(\s*['"](md5|sha1)['"]|createCipheriv\(\s*['"](des|rc4|aes-\d+-(ecb|cbc))/gi,
    'SHA-256, AES-256-GCM.',
    // MySQL servers define this format of password hashes.
    ['packages/connectors/src/mysql/native-password-hash.ts'],
  );
});

test('no code is made from text', () => {
  nowhere(files, /(?<![.\w])eval\(|new Function\(|vm\.(runIn|Script|compile)/g, 'Write the code down.');
  nowhere(
    source,
    /\bexecSync\(|(?<![.\w])exec\(\s*[`'"]|shell:\s*true/g,
    'Start programs with a list of arguments: execFile or spawn.',
  );
});

test('type checks are not disabled', () => {
  nowhere(files, /\bas any\b|:\s*any\b/g, 'Say the type, or unknown and narrow it.');
  const silenced = files
    .flatMap((file) => [...file.text.matchAll(/@ts-(ignore|nocheck|expect-error)/g)].map(() => file.path))
    .filter((path) => !path.startsWith('test/guards/') && path !== 'packages/contracts/generate.ts');
  expect(silenced).toEqual([]);
});

test('configuration comes from files: only a few named places read the environment', () => {
  nowhere(source, /process\.env/g, 'Add a key to the configuration of the service.', [
    'packages/api-client/',
    'packages/cli/',
    'packages/installation/',
    'packages/backing-servers/',
    'packages/targets/',
    'packages/test-runner/',
    'packages/testkit/',
    'packages/postgres-client/src/forget-libpq.ts',
    'packages/service-kit/src/failpoints.ts',
    'packages/service-kit/src/refuse-environment.ts',
  ]);
});

test('secrets and requests are not printed', () => {
  nowhere(
    source.filter(
      (file) =>
        file.path.startsWith('services/') ||
        /packages\/(contracts\/src|database|errors|events|jobs|keyring|merkle|service-kit|connectors)\//.test(
          file.path,
        ),
    ),
    /\bconsole\.\w+\(/g,
    'Use the logger.',
  );
});

test('statements are built by the query builder or by sql`…`, never from strings', () => {
  nowhere(
    source.filter((file) => file.path.startsWith('services/')),
    /sql\.(raw|lit|unsafe)\((?!`[^`$]*(?:\$\{[A-Z_]+\}[^`$]*)*`\))|\.query\(\s*`[^`]*\$\{/g,
    'Values are parameters of sql`…`. Names come from a map, pieces from constants in CAPITALS.',
  );
});

test('a service uses its database only through withTenant, readTenant, system and singleRoundTrip', () => {
  nowhere(
    source.filter((file) => file.path.startsWith('services/')),
    /from ['"]pg['"]|new pg\./g,
    'The pool is not for services: it knows no tenant.',
  );
});

test('external JSON is not merged into objects', () => {
  nowhere(
    source,
    /Object\.assign\([^,]+,\s*JSON\.parse|\.\.\.\s*JSON\.parse/g,
    'Parse into a schema and take the keys that you know.',
  );
});

test('no test is skipped or exclusive', () => {
  nowhere(
    tests,
    /\b(test|it|describe)\.(only|skip|todo|fails)\b/g,
    'Run it, or remove it with a reason in the commit.',
  );
});

test('tests wait for conditions, not for time', () => {
  const found = tests.flatMap((file) =>
    matches(file, /await new Promise(<\w+>)?\(\s*\(?(\w+)\)?\s*=>\s*setTimeout\(\s*\w+,\s*[\d_]/g).filter(
      (at) => !saysWhy(file, at, 'on purpose') && !polls(file, at),
    ),
  );
  expect(
    found,
    `Use eventually() or expect.poll(); a pause that is part of what is tested says "on purpose" in a comment.\n${found.join('\n')}`,
  ).toEqual([]);
});

/** Whether a comment on the line or the line before contains the word. */
function saysWhy(file: SourceFile, at: string, word: string): boolean {
  return linesBefore(file, at, 1).some((line) => /\/\/|\*/.test(line) && line.includes(word));
}

/** Whether it is the pause of a loop that polls until a deadline. */
function polls(file: SourceFile, at: string): boolean {
  return linesBefore(file, at, 6).some((line) => line.includes('deadline'));
}

function linesBefore(file: SourceFile, at: string, count: number): string[] {
  const line = Number(at.split(':')[1]);
  return file.text.split('\n').slice(Math.max(0, line - 1 - count), line);
}

test('tests use ports that the system gives them', () => {
  nowhere(tests, /\.listen\(\s*[1-9]\d{2,}/g, 'Listen on port 0, or take freePort().');
});
