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
  looksFor: 'a requirements.txt, pyproject.toml or Procfile of a Python app',

  recipe(facts, settings) {
    const isAsked = FRAMEWORKS.some((framework) => framework === settings.framework);
    const install = INSTALLS.find(({ file }) => facts.files.includes(file));
    if (install === undefined && !isAsked && !facts.files.some((name) => name.endsWith('.py'))) return null;
    const framework = frameworkOf(facts, settings);
    const start = startOf(framework, facts, settings);
    return start === null ? null : recipeFor({ facts, settings, framework, start, install: install ?? null });
  },
};

interface Install {
  /** The file that says what to install; the first of the table that is there. */
  readonly file: string;
  readonly files: readonly string[];
  readonly run: string;
  /** It installs the project itself, and so needs its sources. */
  readonly readsSources: boolean;
}

const PIP = 'pip install --no-cache-dir';
const INSTALLS: readonly Install[] = [
  {
    file: 'uv.lock',
    files: ['pyproject.toml', 'uv.lock'],
    run: `${PIP} uv && UV_PROJECT_ENVIRONMENT=/venv uv sync --frozen --no-dev --no-install-project --no-cache`,
    readsSources: false,
  },
  {
    file: 'poetry.lock',
    files: ['pyproject.toml', 'poetry.lock'],
    run: `${PIP} poetry && VIRTUAL_ENV=/venv poetry install --only main --no-root --no-interaction --no-cache`,
    readsSources: false,
  },
  {
    file: 'requirements.txt',
    files: ['requirements.txt'],
    run: `${PIP} -r requirements.txt`,
    readsSources: false,
  },
  { file: 'pyproject.toml', files: ['pyproject.toml'], run: `${PIP} .`, readsSources: true },
];

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
  const copied = install?.readsSources
    ? '. .'
    : `${install?.files.filter((name) => facts.files.includes(name)).join(' ')} ./`;
  const dockerfile = [
    `FROM ${image} AS build`,
    'ENV PYTHONDONTWRITEBYTECODE=1 PATH=/venv/bin:$PATH',
    'WORKDIR /app',
    'RUN python3 -m venv /venv',
    ...buildVariables(settings),
    ...(install === null ? [] : [`COPY ${copied}`, `RUN ${install.run}`]),
    ...(extra === null ? [] : [`RUN ${PIP} ${extra}`]),
    ...(settings.buildCommand === null ? [] : ['COPY . .', `RUN ${execForm(settings.buildCommand)}`]),
    `FROM ${image}`,
    'ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/venv/bin:$PATH',
    'WORKDIR /app',
    'COPY --from=build /venv /venv',
    settings.buildCommand === null ? 'COPY . .' : 'COPY --from=build /app /app',
    'USER 65534:65534',
    `CMD ${execForm(start)}`,
  ];
  return {
    framework,
    dockerfile: dockerfileOf(dockerfile),
    because: `${install?.file ?? 'a Python file'} says ${framework}`,
    buildCommand: settings.buildCommand,
    startCommand: commandText(start),
    port: null,
    context: 'root_directory',
  };
}

function frameworkOf({ files, texts }: RepositoryFacts, settings: BuildSettings): PythonFramework {
  const asked = FRAMEWORKS.find((framework) => framework === settings.framework);
  if (asked !== undefined) return asked;
  const named = `${texts['requirements.txt'] ?? ''}\n${texts['pyproject.toml'] ?? ''}\n${texts['Pipfile'] ?? ''}`;
  if (files.includes('manage.py')) return 'django';
  if (/\bfastapi\b/i.test(named)) return 'fastapi';
  if (/\bflask\b/i.test(named)) return 'flask';
  return 'python';
}

/** The production server where the repository does not bring one. */
function serverOf(framework: PythonFramework, { texts }: RepositoryFacts): string | null {
  const named = `${texts['requirements.txt'] ?? ''}\n${texts['pyproject.toml'] ?? ''}`;
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
      const module = /DJANGO_SETTINGS_MODULE["'],\s*["']([\w]+)\.settings/.exec(
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
  'app/main.py',
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
