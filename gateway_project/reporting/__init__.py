"""Reports as files and answers: one question, written as CSV, XLSX, JSON or FOCUS.

| module | does |
|---|---|
| asking | reads a question from a query string, narrowed to what its asker may see |
| table | gives each group its names, and says which columns a report has |
| csv_file, xlsx_file, json_file | write a table, piece by piece |
| focus, focus_file | the FOCUS 1.4 cost and usage rows, and their file |
| pieces | sends pieces while they are made, in bounded memory |
"""
