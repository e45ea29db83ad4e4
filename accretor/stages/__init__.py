"""The action of each stage: it reads files, calls the science, writes files. It knows no task runner."""
