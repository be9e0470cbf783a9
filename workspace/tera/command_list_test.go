package tera_test

const numbered = `
duckdb -c {{ x }}
mariadb -e {{ x }} d
psql -c "select * from t where id = {{ x }}"
mysql -e "delete from t where id = {{ x }}"
sqlite3 f.db "select * from t limit {{ x }}"
sqlite3 -header f.db "select {{ x }}"
sed -n "{{ x }}p" f
sed -n {{ x }} f
sed -e s/a/b/ -e {{ x }} f
sed -i.bak {{ x }} f
sed -f {{ x }} f
sed -i '' {{ x }} f
sed -i .bak {{ x }} f
sed f -e {{ x }}
sed f -e{{ x }}
sed f --expression={{ x }}
sed $OPTIONS s/a/b/ {{ x }}
watch -n {{ x }} ls
rsync -e {{ x }} a b
at now + {{ x }} minutes
tmux kill-window -t {{ x }}
`

const optional = `
curl -s {{ x }}
curl -sSL {{ x }}
curl -fsSL {{ x }} -o b
wget -q {{ x }}
git clone --bare {{ x }}
git checkout -f {{ x }}
git log --oneline {{ x }}
git fetch --all {{ x }}
git push origin "{{ x }}:main"
git log "{{ x }}..HEAD"
git show {{ x }}:f
docker run --rm {{ x }}
docker rm -f {{ x }}
docker exec -it {{ x }} ls
docker exec c rm {{ x }}
kubectl exec p -- rm {{ x }}
rsync -a {{ x }} b
scp -r {{ x }} b
pip install -q {{ x }}
apt-get install -y {{ x }}
apt install {{ x }}
npm install {{ x }}
npm config set registry {{ x }}
unzip -o {{ x }}
tar -cf a.tar "{{ x }}.txt" f
rm {{ x }}/y
sed -n 1,5p "{{ x }}"
sed -i 's/a/b/' {{ x }}
sed -e s/a/b/ {{ x }}
rm "{{ x }}{{ x }}"
rm "${y:-{{ x }}}"
find "{{ x }}/a" -type f
find {{ x }} -type f -exec rm -- {} +
sqlite3 {{ x }} .dump
sqlite3 -csv {{ x }} 'select 1'
tee {{ x }}
wc -l {{ x }}
less {{ x }}
diff {{ x }} b
pkill {{ x }}
ping {{ x }}
dig {{ x }}
docker-compose up {{ x }}
mysqldump {{ x }}
pg_dump {{ x }}
hg update {{ x }}
rg {{ x }}
useradd {{ x }}
gpg -d {{ x }}
restic ls {{ x }}
zip a f {{ x }}
sort f {{ x }}
psql -d d {{ x }}
run() { "$@"; }; run tar -cf a.tar {{ x }} f
set -- tar -cf a.tar {{ x }} f; "$@"
tar -cf a "$(echo {{ x }})"
echo {{ x }} | xargs tar cf a.tar
printf '%s\n' {{ x }} | xargs -d '\n' tar cf a.tar f
echo {{ x }} | xargs -I{} tar cf a.tar {} f
go vet {{ x }}
split {{ x }} f
`

const choosing = `
tar -cf a --{{ x }}
find . -{{ x }}
gzip -{{ x }} f
tar -c{{ x }} f
psql -A{{ x }}
curl -s{{ x }} u
scp -q{{ x }} f h:
deploy --{{ x }}
`

const unknownPrograms = `
awk '{print $1}' {{ x }}
awk -F, -v n=1 '{print $2}' "{{ x }}"
"$DIR/bin/python" f.py {{ x }}
python3 f.py {{ x }}
java -cp a.jar Main {{ x }}
java -jar app.jar {{ x }}
deno run f.ts {{ x }}
python3 -m pip install {{ x }}
python3 -m cProfile f.py {{ x }}
cargo test {{ x }}
deploy {{ x }}
./deploy.sh prod {{ x }}
sudo -n deploy {{ x }}
terraform workspace select {{ x }}
docker exec c deploy {{ x }}
`

const harmless = `
# what is said to be right
sed -e s/a/b/ ./{{ x }}
printf '%s\n' {{ x }} | ssh host cat
echo {{ x }} | ssh -p 22 host tee f
echo {{ x }} | sudo -u app tee f
echo {{ x }} | sudo -n tee f
echo {{ x }} | unshare -n cat
echo {{ x }} | chroot /m cat
echo {{ x }} | parallel echo
echo {{ x }} | redis-cli -x set k
echo {{ x }} | docker exec -i c tee f
tar xzf {{ x }}
curl -H "A: {{ x }}" -d "a={{ x }}" --data-raw {{ x }} --form-string a={{ x }} u
git commit -m {{ x }}
git clone -b {{ x }} a b
git -C {{ x }} log
docker run -e {{ x }} image
docker run --rm -e "A={{ x }}" -v "{{ x }}:/a" --name {{ x }} image ls
docker run --rm image ls ./{{ x }}
docker build -t {{ x }} .
docker build --build-arg "V={{ x }}" .
docker exec -w {{ x }} c ls
docker compose -p {{ x }} up
kubectl -n {{ x }} get pods
kubectl logs p -c {{ x }}
kubectl exec p -c {{ x }} -- ls
gcc -c ./{{ x }}
ping -c {{ x }} h
pytest -c {{ x }}
nginx -c {{ x }}
redis-cli -h h set k ./{{ x }} -e
aws s3 cp ./{{ x }} s3://b
tcpdump -c {{ x }}
terraform apply -var "a={{ x }}"
helm upgrade a b --set "v={{ x }}"
pip install -c {{ x }} a
./deploy.sh -e {{ x }}
gtest --name ./{{ x }}
scripts/run.sh -c {{ x }}
deploy --env {{ x }}
deploy --exec-timeout {{ x }} --hook-url {{ x }}
/usr/local/bin/backup.sh -e {{ x }}
lxc exec c -- ls ./{{ x }}
V={{ x }} env A=1 ./run
deploy -- {{ x }}
cp a{,.bak} ./{{ x }}
echo {{ x }} | xargs -I{} tar cf a.tar ./{} f
echo {{ x }} | xargs rm --
echo {{ x }} | xargs -n1 echo
a=(ls -l); "${a[@]}" ./{{ x }}
S="sudo -n"; $S ls ./{{ x }}
deploy --config={{ x }}
deploy() { echo "$1"; }; deploy -c {{ x }}
deploy() { echo "$1"; }; deploy {{ x }}
node f.js --mode={{ x }}
rm -- {{ x }}
rm "a{{ x }}"
docker pull "${IMAGE}{{ x }}"
rm './'"{{ x }}"
scp -r ./{{ x }} host:
go build -o {{ x }} .
go run . {{ x }}
yq -o {{ x }} . f
jq --indent 2 . ./{{ x }}
jq --arg y {{ x }} .
jq ".$y" "./{{ x }}"
awk -v n={{ x }} '$1 == n' f
awk -F {{ x }} -vn={{ x }} '{print n}' f
sh -c 'ls -- "$1"' _ {{ x }}
docker exec c sh -c 'ls "./$1"' _ {{ x }}
find ./{{ x }} -name {{ x }} -exec rm {} +
start-stop-daemon -S -a /bin/x -- --name {{ x }}
gtar -cf a.tar ./{{ x }}
gh pr create --title {{ x }}
FOO={{ x }} ./make.sh
command -v {{ x }}
sudo useradd -m -s /bin/bash -- {{ x }}
sudo -n chsh -s /bin/bash -- {{ x }}
set -- {{ x }}
python3 - {{ x }} <<'E'⏎import sys⏎E
node - {{ x }} < f.js
[ $(( 5 % 2 )) -eq {{ x }} ]
`
