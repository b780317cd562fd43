import { DEFAULT_PATH_RULES, type FileRules } from './conflicts.ts'

/**
 * Default file rules of a Space. They leave out large files that tools download or generate again. They include
 * environment files: git ignores these, so no other copy exists.
 */
export const DEFAULT_FILE_RULES: FileRules = {
  ignore: [
    'node_modules/',
    '.venv/',
    '__pycache__/',
    '.cache/',
    '.next/',
    '.turbo/',
    '.gradle/',
    '.pytest_cache/',
    '.mypy_cache/',
    '.ruff_cache/',
    '.DS_Store',
    '*.swp',
    '.carrel-*.tmp',
    '!.env',
    '!.env.*',
    '!.envrc',
  ],
  useGitignore: true,
  maxFileBytes: 33_554_432,
  paths: [...DEFAULT_PATH_RULES],
}
