import type { Framework } from '../../apps/framework.ts';
import type { BuildSettings, RepositoryFacts } from '../plan-build.ts';
import { imageOfVersion, pythonVersionOf } from './base-image.ts';
import {
  buildVariables,
  type Command,
  commandText,
  dockerfileOf,
  execForm,
  type Recipe,
  type Stack,
} from './stack.ts';

const FRAMEWORKS = ['django', 'fastapi', 'flask', 'python'] as const satisfies readonly Framework[];
type PythonFramework = (typeof FRAMEWORKS)[number];

/** Python 3 with pip in the base image; what is installed lies in /venv, which alone goes into the final image. */
export const pythonStack: Stack = {
  frameworks: FRAMEWORKS,
  looksFor: 'a requirements.txt, pyproject.toml or Pipfile of a Python app',

  recipe(facts, settings) {
    const isAsked = FRAMEWORKS.some((framework) => framework === settings.framework);
    const install = installOf(facts);
    if (install === null && !isAsked && !facts.files.some((name) => name.endsWith('.py'))) return null;
    const framework = frameworkOf(facts, settings);
    const start = startOf(framework, facts, settings);
    return start === null ? null : recipeFor({ facts, settings, framework, start, install });
  },
};

interface Install {
  /** The file that says what to install; the first of the table that is there. */
  readonly file: string;
  readonly files: readonly string[];
  /** A program that pip is to fetch for the install, apart from what the app gets. */
  readonly tool?: string;
  readonly run: string;
  /** It may need any file of the repository, not only those. */
  readonly readsSources?: (text: string) => boolean;
}

const PIP = 'pip install --no-cache-dir';
/** What the tools take for the environment to fill. */
const IN_VENV = 'VIRTUAL_ENV=/venv';
const LISTED = '/tmp/requirements.txt';
const LIST_DEPENDENCIES = [
  'import tomllib',
  "project = tomllib.load(open('pyproject.toml', 'rb')).get('project', {})",
  "print('\\n'.join(project.get('dependencies', [])))",
].join('; ');

const INSTALLS: readonly Install[] = [
  {
    file: 'uv.lock',
    files: ['pyproject.toml', 'uv.lock'],
    tool: 'uv',
    // --python: a version that the repository pins to the patch would be downloaded, and not be there at run time.
    run: 'UV_PROJECT_ENVIRONMENT=/venv /tools/bin/uv sync --frozen --no-dev --no-install-project --no-cache --python /venv/bin/python3',
  },
  {
    file: 'poetry.lock',
    files: ['pyproject.toml', 'poetry.lock'],
    tool: 'poetry',
    run: `${IN_VENV} /tools/bin/poetry install --only main --no-root --no-interaction --no-cache`,
  },
  {
    file: 'Pipfile.lock',
    files: ['Pipfile', 'Pipfile.lock'],
    tool: 'pipenv',
    run: `${IN_VENV} PIPENV_VERBOSITY=-1 /tools/bin/pipenv sync`,
  },
  {
    file: 'requirements.txt',
    files: ['requirements.txt'],
    run: `${PIP} -r requirements.txt`,
    // It names other files, or folders to install.
    readsSources: (text) =>
      /^\s*(?:-[rce]\b|--(?:requirement|constraint|editable)\b|\.|file:)|@\s*file:/m.test(text),
  },
  {
    file: 'Pipfile',
    files: ['Pipfile'],
    tool: 'pipenv',
    run: `${IN_VENV} PIPENV_VERBOSITY=-1 /tools/bin/pipenv install --skip-lock`,
  },
];

/** A package is installed as one; of any other project only what it depends on, for it could not be built. */
function installOf({ files, texts }: RepositoryFacts): Install | null {
  const found = INSTALLS.find(({ file }) => files.includes(file));
  if (found !== undefined) return found;
  const file = 'pyproject.toml';
  if (!files.includes(file)) return null;
  const isPackage = /^\[build-system\]/m.test(texts[file] ?? '');
  return isPackage
    ? { file, files: [file], run: `${PIP} .`, readsSources: () => true }
    : {
        file,
        files: [file],
        run: `python3 -c "${LIST_DEPENDENCIES}" > ${LISTED} && ${PIP} -r ${LISTED}`,
      };
}

function recipeFor(of: {
  facts: RepositoryFacts;
  settings: BuildSettings;
  framework: PythonFramework;
  start: Command;
  install: Install | null;
}): Recipe {
  const { facts, settings, framework, start, install } = of;
  const image = imageOfVersion(settings.images.python, 'python', pythonVersionOf(facts.texts));
  const extra = serverOf(framework, facts);
  const build = settings.buildCommand ?? collectStatic(framework, facts);
  const tool = install?.tool;
  const dockerfile = [
    `FROM ${image} AS build`,
    'ENV PYTHONDONTWRITEBYTECODE=1 PATH=/venv/bin:$PATH',
    'WORKDIR /app',
    ...(tool === undefined ? [] : [`RUN python3 -m venv /tools && /tools/bin/${PIP} ${tool}`]),
    'RUN python3 -m venv /venv',
    ...buildVariables(settings),
    ...(install === null ? [] : [`COPY ${copied(install, facts)}`, `RUN ${install.run}`]),
    ...(extra === null ? [] : [`RUN ${PIP} ${extra}`]),
    ...(build === null ? [] : ['COPY . .', `RUN ${execForm(build)}`]),
    `FROM ${image}`,
    'ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp PATH=/venv/bin:$PATH',
    'COPY --from=build /venv /venv',
    // Before WORKDIR, which would make the folder root's.
    `COPY ${build === null ? '' : '--from=build '}--chown=65534:65534 ${build === null ? '.' : '/app'} /app/`,
    'WORKDIR /app',
    'USER 65534:65534',
    `CMD ${execForm(start)}`,
  ];
  return {
    framework,
    dockerfile: dockerfileOf(dockerfile),
    because: `${install?.file ?? 'a Python file'} says ${framework}`,
    buildCommand: build === null ? null : commandText(build),
    startCommand: commandText(start),
    port: null,
    context: 'root_directory',
  };
}

function copied({ file, files, readsSources }: Install, facts: RepositoryFacts): string {
  if (readsSources?.(facts.texts[file] ?? '')) return '. .';
  return `${files.filter((name) => facts.files.includes(name)).join(' ')} ./`;
}

/** With WhiteNoise the app serves its static files itself, out of the folder that this fills. */
function collectStatic(framework: PythonFramework, facts: RepositoryFacts): Command | null {
  const isWanted = framework === 'django' && /\bwhitenoise\b/i.test(namedDependencies(facts));
  return isWanted ? ['python3', 'manage.py', 'collectstatic', '--noinput'] : null;
}

function frameworkOf(facts: RepositoryFacts, settings: BuildSettings): PythonFramework {
  const asked = FRAMEWORKS.find((framework) => framework === settings.framework);
  if (asked !== undefined) return asked;
  const named = namedDependencies(facts);
  if (facts.files.includes('manage.py')) return 'django';
  if (/\bfastapi\b/i.test(named)) return 'fastapi';
  if (/\bflask\b/i.test(named)) return 'flask';
  return 'python';
}

function namedDependencies({ texts }: RepositoryFacts): string {
  return ['requirements.txt', 'pyproject.toml', 'Pipfile'].map((file) => texts[file] ?? '').join('\n');
}

/** The production server where the repository does not bring one. */
function serverOf(framework: PythonFramework, facts: RepositoryFacts): string | null {
  const named = namedDependencies(facts);
  if (framework === 'fastapi')
    return /\b(uvicorn|fastapi\[standard\]|hypercorn)/i.test(named) ? null : 'uvicorn';
  if (framework === 'flask' || framework === 'django') return /\bgunicorn\b/i.test(named) ? null : 'gunicorn';
  return null;
}

/** Two workers with threads: one slow request does not stop the others, and a small machine has room for it. */
const GUNICORN = `exec gunicorn --bind 0.0.0.0:"\${PORT:-8000}" --workers 2 --threads 4`;

function startOf(
  framework: PythonFramework,
  facts: RepositoryFacts,
  settings: BuildSettings,
): Command | null {
  if (settings.startCommand !== null) return settings.startCommand;
  const web = /^web:[ \t]*(\S.*)$/m.exec(facts.texts['Procfile'] ?? '')?.[1]?.trim();
  if (web !== undefined) return web;
  switch (framework) {
    case 'django': {
      const module = /DJANGO_SETTINGS_MODULE["'],\s*["']([\w.]+?)\.settings/.exec(
        facts.texts['manage.py'] ?? '',
      )?.[1];
      return module === undefined ? null : `${GUNICORN} ${module}.wsgi:application`;
    }
    case 'fastapi': {
      const found = objectOf(facts, 'FastAPI');
      return found && `exec uvicorn ${found} --host 0.0.0.0 --port "\${PORT:-8000}"`;
    }
    case 'flask': {
      const found = objectOf(facts, 'Flask') ?? factoryOf(facts);
      return found && `${GUNICORN} '${found}'`;
    }
    case 'python': {
      const file = ['main.py', 'app.py', 'server.py'].find((name) => facts.files.includes(name));
      return file === undefined ? null : ['python3', file];
    }
    default:
      return framework satisfies never;
  }
}

/** Files that may make the app object; read from the repository for this. */
export const PYTHON_FILES: readonly string[] = [
  'main.py',
  'app.py',
  'wsgi.py',
  'asgi.py',
  'application.py',
  'server.py',
  'run.py',
  'api.py',
  'app/main.py',
  'app/app.py',
  'api/main.py',
  'app/__init__.py',
  'src/main.py',
  'src/app.py',
];

/** `module:variable` of the line `variable = FastAPI(…)`. */
function objectOf({ texts }: RepositoryFacts, maker: 'FastAPI' | 'Flask'): string | null {
  const line = new RegExp(`^(\\w+)(?:\\s*:\\s*[\\w.]+)?\\s*=\\s*(?:\\w+\\.)?${maker}\\(`, 'm');
  for (const path of PYTHON_FILES) {
    const variable = line.exec(texts[path] ?? '')?.[1];
    if (variable !== undefined) return `${moduleOf(path)}:${variable}`;
  }
  return null;
}

/** `module:create_app()`, the way Flask's documentation calls a factory. */
function factoryOf({ texts }: RepositoryFacts): string | null {
  const path = PYTHON_FILES.find((name) => /^def create_app\(/m.test(texts[name] ?? ''));
  return path === undefined ? null : `${moduleOf(path)}:create_app()`;
}

function moduleOf(path: string): string {
  return path.replace(/(\/__init__)?\.py$/, '').replaceAll('/', '.');
}
