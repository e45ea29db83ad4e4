"""The pages that tell an observation, and a workspace, to a person: one self-contained HTML file each."""
