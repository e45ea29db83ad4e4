"""What ExoFOP and the TFOP SG1 guidelines define: names, package, notes, upload plan."""
