const transform = {
  '^.+\\.ts$': [
    '@swc/jest',
    {
      jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
      module: { type: 'es6' },
      sourceMaps: 'inline',
    },
  ],
};

/** One project per kind of test: pure ones in seconds, then real parts, then the whole product. */
const project = (displayName, testMatch, extra = {}) => ({
  displayName,
  testMatch,
  transform,
  testEnvironment: 'node',
  rootDir: import.meta.dirname,
  roots: ['<rootDir>/cmd', '<rootDir>/internal', '<rootDir>/test', '<rootDir>/bench', '<rootDir>/scripts'],
  extensionsToTreatAsEsm: ['.ts'],
  // Repositories of strangers, as far as we are concerned.
  modulePathIgnorePatterns: ['<rootDir>/test/stacks/'],
  ...extra,
});

const database = {
  globalSetup: '<rootDir>/test/support/start-postgres.js',
  globalTeardown: '<rootDir>/test/support/stop-postgres.js',
};

export default {
  maxWorkers: 2,
  testTimeout: 30_000,
  reporters: ['default', '<rootDir>/test/support/count-reporter.js'],
  projects: [
    project('unit', ['<rootDir>/**/*.test.ts'], {
      testPathIgnorePatterns: ['\\.int\\.test\\.ts$', '<rootDir>/test/e2e/', '/node_modules/', '/dist/'],
    }),
    project('integration', ['<rootDir>/**/*.int.test.ts'], database),
    project('e2e', ['<rootDir>/test/e2e/**/*.test.ts'], database),
  ],
};
