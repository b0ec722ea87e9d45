import { spawn } from 'node:child_process';
import { type Found, findTool, howToGet } from './find-tool.ts';
import { runProgram } from './run-program.ts';
import { type ToolName, tools } from './tools.ts';

/** Runs a package manager; its output goes to our standard error. */
function runVisibly(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, [...args], { env, stdio: ['inherit', 2, 2] });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

const has = async (command: string) => (await runProgram('sh', ['-c', `command -v ${command}`])).code === 0;

/**
 * Finds every tool and installs the missing ones with the machine's package manager: apt-get (as root or
 * through sudo) or brew. Servers that the packages start are neither used nor stopped. Throws one error that
 * names every missing tool and how to install it.
 */
export async function ensureTools(
  names: readonly ToolName[],
  tell: (line: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Found[]> {
  const findAll = () => Promise.all(names.map((name) => findTool(name, env)));
  let found = await findAll();
  const missing = found.filter((each) => !each.found).map((each) => tools[each.name]);
  if (missing.length === 0) return found;
  const titles = missing.map((tool) => tool.title).join(', ');

  if (process.platform === 'linux' && (await has('apt-get'))) {
    const isRoot = process.getuid?.() === 0;
    if (isRoot || (await has('sudo'))) {
      tell(`installing ${titles} with apt-get`);
      const packages = missing.flatMap((tool) => tool.debianPackages);
      const apt = ['apt-get', '-o', 'DPkg::Lock::Timeout=300'];
      const [command, ...prefix] = isRoot ? apt : ['sudo', 'DEBIAN_FRONTEND=noninteractive', ...apt];
      const aptEnv = { ...env, DEBIAN_FRONTEND: 'noninteractive' };
      await runVisibly(command!, [...prefix, 'update'], aptEnv);
      await runVisibly(
        command!,
        [...prefix, 'install', '-y', '--no-install-recommends', ...packages],
        aptEnv,
      );
    }
  } else if (await has('brew')) {
    tell(`installing ${titles} with brew`);
    await runVisibly('brew', ['install', ...missing.flatMap((tool) => tool.brewPackages)], env);
  }

  found = await findAll();
  const stillMissing = found.filter((each) => !each.found);
  if (stillMissing.length === 0) return found;
  throw new Error(
    [
      'These are missing and could not be installed from here:',
      ...stillMissing.map((each) => `  ${each.title}: ${each.fix ?? howToGet(tools[each.name])}`),
    ].join('\n'),
  );
}
