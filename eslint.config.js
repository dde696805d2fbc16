import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'node_modules/',
      'schema/generated/',
      'codec/engine/cpu/assembly/',
      '**/*.generated.ts',
    ],
  },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      eqeqeq: 'error',
      'no-restricted-imports': 'off',
    },
  },
  {
    // The house's one-way dependencies (CONTRIBUTING): codec knows neither file, screen nor Node.
    files: ['codec/**/*.ts'],
    ignores: ['codec/**/*-node.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: ['node:*', '**/src/**', '**/player/**', '**/schema/**'] },
      ],
    },
  },
);
